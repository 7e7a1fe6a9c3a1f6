import { z } from 'zod'
import { pointer, Refusal } from '../missions/refusal.ts'

/** Postgres can't hold U+0000 in text, nor half a surrogate pair in JSON. */
export const text = z.string().refine(isStorable, 'must be valid Unicode without U+0000')

/** Any JSON whose texts Postgres can hold as they are. */
export const jsonValue = z.json().refine(everyText(isStorable), 'must hold valid Unicode without U+0000 only')

/** A whole number of a query or a header, in digits: `Number` alone would take "", "0x10" and "1e2" too. */
export function wholeNumber(least: number, most: number) {
  return z
    .string()
    .regex(/^\d{1,10}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.int().min(least).max(most))
}

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

function isStorable(value: string): boolean {
  return !value.includes('\0') && value.isWellFormed()
}

function everyText(check: (value: string) => boolean): (value: unknown) => boolean {
  return function holds(value): boolean {
    if (typeof value === 'string') return check(value)
    if (typeof value !== 'object' || value === null) return true
    return Object.entries(value).every(([key, member]) => check(key) && holds(member))
  }
}
