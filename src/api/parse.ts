import type { z } from 'zod'
import { Refusal } from '../missions/refusal.ts'

/** @throws Refusal `invalid_request` that names each wrong member by its JSON pointer. */
export function parse<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const errors = parsed.error.issues.flatMap((issue) => {
    // An unknown member is named itself, not the object that holds it.
    const paths = issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...issue.path, key]) : [issue.path]
    const detail = issue.code === 'unrecognized_keys' ? 'is not known here' : issue.message
    return paths.map((path) => ({ pointer: pointer(path), detail }))
  })
  throw new Refusal('invalid_request', 'Nothing was done: see "errors" for what to change.', errors)
}

/** RFC 6901. */
function pointer(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}
