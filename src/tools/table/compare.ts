import { TerminalError } from '../../domain/errors.ts'
import { parseNumber } from './number.ts'
import type { Row } from './table.ts'

export type Operator = '=' | '!=' | '>' | '>=' | '<' | '<=' | 'contains'

/**
 * A test of one cell. Numeric where the value is a number, else by text (code points, so ISO dates compare as dates).
 * An order comparison of a number with a cell that is text would drop rows in silence, so it is refused: TerminalError
 * `not_a_number`. Empty cells are in no order.
 */
export function cellTest(column: string, op: Operator, value: string): (cell: string, row: Row) => boolean {
  if (op === 'contains') {
    const needle = value.toLowerCase()
    return (cell) => cell.toLowerCase().includes(needle)
  }
  if (op === '=' || op === '!=') {
    const equal = equalityTest(value)
    return (cell) => equal(cell) === (op === '=')
  }
  const inOrder = ORDER[op]
  const limit = parseNumber(value)?.value
  return (cell, row) => {
    if (cell.trim() === '') return false
    if (limit === undefined) return inOrder(compareText(cell, value))
    const number = parseNumber(cell)
    if (!number) throw notANumber(column, row.number, cell)
    return inOrder(number.value.comparedTo(limit))
  }
}

function equalityTest(value: string): (cell: string) => boolean {
  // A leading zero marks a code: postcode 01067 is not 1067.
  const number = isCode(value) ? undefined : parseNumber(value)?.value
  if (number === undefined) return (cell) => cell === value
  return (cell) => cell === value || (!isCode(cell) && (parseNumber(cell)?.value.equals(number) ?? false))
}

function isCode(text: string): boolean {
  return /^0\d/.test(text)
}

const ORDER = {
  '>': (order: number) => order > 0,
  '>=': (order: number) => order >= 0,
  '<': (order: number) => order < 0,
  '<=': (order: number) => order <= 0,
}

/** By code point, the same on every machine; a locale's order would not be. */
export function compareText(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1
}

/** The error for a cell that had to be a number: it names the row as the file counts, without the header. */
export function notANumber(column: string, row: number, cell: string): TerminalError {
  const shown = JSON.stringify(cell.length > 60 ? `${cell.slice(0, 60)}…` : cell)
  return new TerminalError(
    'not_a_number',
    `Row ${row} (not counting the header) has ${shown} in "${column}", which is no number, or one that can be read in two ways.`,
    { hint: 'Leave such rows out with a where condition, or use plain decimals such as 1234.56 in the file.' },
  )
}
