import { databaseError } from './errors.ts'

/** An escape of U+0000 or of half a surrogate pair, after an even number of backslashes. */
const REFUSED = /(?<!\\)(?:\\\\)*\\u(0000|d[89a-f][0-9a-f]{2})/i

/**
 * A text as a jsonb column keeps it: keys by their length in bytes and then by their bytes.
 * @throws DatabaseError where Postgres refuses it
 */
export function jsonb(text: string): string {
  const refused = text.includes('\\u') ? REFUSED.exec(text) : null
  if (refused?.[1] === '0000') throw databaseError('22P05', 'unsupported Unicode escape sequence')
  if (refused !== null) throw databaseError('22P02', 'invalid input syntax for type json')
  return JSON.stringify(JSON.parse(text), inOrder)
}

function inOrder(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  const entries = Object.entries(value)
  return entries.length < 2 ? value : Object.fromEntries(entries.sort(([a], [b]) => compare(a, b)))
}

function compare(a: string, b: string): number {
  return Buffer.byteLength(a) - Buffer.byteLength(b) || Buffer.compare(Buffer.from(a), Buffer.from(b))
}
