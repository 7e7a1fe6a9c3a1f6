import { TerminalError } from '../../domain/errors.ts'
import { Exact } from './number.ts'
import type { Row, Table } from './table.ts'

/** A column a key: more keys than this means that the keys are data. */
const MAX_COLUMNS = 1000

/** JSON.parse source text access (ES2026, in Node since 21), not yet in TypeScript's es2024 library. */
interface JsonWithSource {
  parse(text: string, reviver: (key: string, value: unknown, context?: { source?: string }) => unknown): unknown
  rawJSON(source: string): unknown
  isRawJSON(value: unknown): boolean
}
const json = JSON as unknown as JsonWithSource

/** A JSON array of objects as a table; its columns are the objects' keys in the order in which they first appear. */
export function parseJsonTable(name: string, text: string): Table {
  const records = parseRecords(name, text)
  const columns = [...new Set(records.flatMap((record) => Object.keys(record)))]
  if (columns.length > MAX_COLUMNS) {
    throw new TerminalError(
      'bad_table',
      `${name} has ${columns.length} different keys; a table has at most ${MAX_COLUMNS}.`,
    )
  }
  const rows = records.map((record, index): Row => ({
    number: index + 1,
    cells: columns.map((column) => (Object.hasOwn(record, column) ? cellOf(record[column]) : '')),
  }))
  return { columns, rows }
}

function parseRecords(name: string, text: string): Record<string, unknown>[] {
  let value: unknown
  try {
    value = json.parse(text, keepNumberText)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new TerminalError('bad_table', `${name} is not valid JSON: ${reason}.`, { cause: error })
  }
  if (!Array.isArray(value)) throw notRecords(name, `is a JSON ${value === null ? 'null' : typeof value}`)
  const odd = value.findIndex((item) => typeof item !== 'object' || item === null || Array.isArray(item))
  if (odd !== -1) throw notRecords(name, `has an item that is no object (number ${odd + 1})`)
  return value as Record<string, unknown>[]
}

function notRecords(name: string, what: string): TerminalError {
  return new TerminalError('bad_table', `${name} ${what}; query_table needs a JSON array of objects, one a row.`, {
    hint: 'Read the file with read_file instead, or write its table to a new file first.',
  })
}

/** A double can't hold 12345678901234567.89, so a number whose text would change keeps its text. */
function keepNumberText(_key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== 'number' || context?.source === undefined) return value
  return String(value) === context.source ? value : json.rawJSON(context.source)
}

function cellOf(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (typeof value === 'string') return value
  const text = JSON.stringify(value)
  return typeof value === 'number' || json.isRawJSON(value) ? withoutExponent(text) : text
}

/** 1e3 is 1000 in JSON; exponents past any sensible number stay as they are, and then are no numbers. */
function withoutExponent(text: string): string {
  if (!/e/i.test(text)) return text
  const value = new Exact(text)
  return Math.abs(value.e) > 100 ? text : value.toFixed()
}
