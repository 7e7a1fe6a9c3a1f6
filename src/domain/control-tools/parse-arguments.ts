import { z } from 'zod'

/** Reads a model's arguments; the reason of a refusal is written for the model, which can then try again. */
export function parseArguments<T>(
  schema: z.ZodType<T>,
  text: string,
): { ok: true; value: T } | { ok: false; reason: string } {
  let json: unknown
  try {
    json = text.trim() === '' ? {} : JSON.parse(text)
  } catch {
    return { ok: false, reason: `The arguments are no valid JSON: ${text.slice(0, 200)}` }
  }
  const parsed = schema.safeParse(json)
  if (parsed.success) return { ok: true, value: parsed.data }
  return { ok: false, reason: `The arguments don't fit. ${z.prettifyError(parsed.error)}` }
}
