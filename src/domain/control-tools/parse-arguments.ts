import { z } from 'zod'
import { isExact } from './exact-number.ts'

type Json = { ok: true; value: unknown } | { ok: false; reason: string }

/** Reads a model's arguments; the reason of a refusal is written for the model, which can then try again. */
export function parseArguments<T>(
  schema: z.ZodType<T>,
  text: string,
): { ok: true; value: T } | { ok: false; reason: string } {
  const json = text.trim() === '' ? { ok: true as const, value: {} } : parseJson(text)
  if (!json.ok) return json
  const parsed = schema.safeParse(json.value)
  if (parsed.success) return { ok: true, value: parsed.data }
  return { ok: false, reason: `The arguments don't fit. ${z.prettifyError(parsed.error)}` }
}

/** TypeScript doesn't know the third argument yet; Node has it since 21. Objects and lists have no `source`. */
const parse = JSON.parse as (
  text: string,
  reviver: (key: string, value: unknown, context: { source?: string }) => unknown,
) => unknown

function parseJson(text: string): Json {
  let changed: string | undefined
  try {
    const value = parse(text, (_, member, { source = '' }) => {
      if (typeof member === 'number' && !isExact(source, member)) changed ??= source
      return member
    })
    return changed === undefined ? { ok: true, value } : { ok: false, reason: tooPrecise(changed) }
  } catch (error) {
    // V8 recurses into what is nested.
    const what = error instanceof RangeError ? 'are nested too deep' : 'are no valid JSON'
    return { ok: false, reason: `The arguments ${what}: ${text.slice(0, 200)}` }
  }
}

function tooPrecise(source: string): string {
  const number = source.length > 60 ? `${source.slice(0, 60)}…` : source
  return `The number ${number} in the arguments has more digits, or is larger, than a JSON number can hold here, and would be changed. Write it as a text in quotes, or with up to 15 digits where that is exact enough.`
}
