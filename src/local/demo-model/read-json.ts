import type { z } from 'zod'

/** A tool's JSON result, or undefined where it is not what the script expects (cut by the engine, another tool's). */
export function readJson<T>(text: string, schema: z.ZodType<T>): T | undefined {
  try {
    return schema.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}
