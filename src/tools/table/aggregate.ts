import { TerminalError } from '../../domain/errors.ts'
import { compareText, notANumber } from './compare.ts'
import { Exact, parseNumber, type TableNumber } from './number.ts'
import type { Row } from './table.ts'

export type Aggregation = 'sum' | 'count' | 'min' | 'max' | 'avg'

const AVERAGE_DIGITS = 30
/** Its own precision: dividing to the 1000 digits of the sums would be slow and of no use. */
const Average = Exact.clone({ precision: AVERAGE_DIGITS })

/** A column of the table, by name for errors and by index for cells. */
export interface Column {
  name: string
  index: number
}

/**
 * One aggregate over rows as a decimal string; null where there is nothing to take the least, greatest or average of.
 * Empty cells don't count, as null in SQL. Sums are exact and keep the most decimals seen; averages have 30 significant
 * digits. TerminalError `not_a_number`, `mixed_numbers` (decimal marks or currencies differ), `mixed_values` (min, max).
 */
export function aggregateRows(op: Aggregation, column: Column | undefined, rows: Row[]): string | null {
  if (!column) return String(rows.length)
  const filled = rows.filter((row) => cellOf(row, column).trim() !== '')
  return AGGREGATIONS[op](column, filled)
}

const AGGREGATIONS: Record<Aggregation, (column: Column, rows: Row[]) => string | null> = {
  count: (_column, rows) => String(rows.length),
  sum,
  avg: average,
  min: (column, rows) => extreme(column, rows, -1),
  max: (column, rows) => extreme(column, rows, 1),
}

function cellOf(row: Row, column: Column): string {
  return row.cells[column.index] ?? ''
}

function sum(column: Column, rows: Row[]): string {
  const numbers = agreeingNumbers(column, rows)
  return total(numbers).toFixed(Math.max(0, ...new Set(numbers.map((number) => number.decimals))))
}

function total(numbers: TableNumber[]): InstanceType<typeof Exact> {
  return numbers.reduce((running, { value }) => running.plus(value), new Exact(0))
}

function average(column: Column, rows: Row[]): string | null {
  const numbers = agreeingNumbers(column, rows)
  if (numbers.length === 0) return null
  return Average.div(total(numbers), numbers.length).toFixed()
}

function extreme(column: Column, rows: Row[], sign: 1 | -1): string | null {
  if (rows.length === 0) return null
  const numeric = rows.filter((row) => parseNumber(cellOf(row, column)) !== undefined).length
  if (numeric === 0) {
    return rows.map((row) => cellOf(row, column)).reduce((a, b) => (compareText(b, a) * sign > 0 ? b : a))
  }
  const best = agreeingNumbers(column, rows).reduce((a, b) => (b.value.comparedTo(a.value) * sign > 0 ? b : a))
  return best.value.toFixed(best.decimals)
}

/** The cells as numbers, refused where two of them can't be meant in the same way. */
function agreeingNumbers(column: Column, rows: Row[]): TableNumber[] {
  const marks = new Map<string, Row>()
  const currencies = new Map<string, Row>()
  const numbers = rows.map((row) => {
    const number = parseNumber(cellOf(row, column))
    if (!number) throw notANumber(column.name, row.number, cellOf(row, column))
    if (number.mark && !marks.has(number.mark)) marks.set(number.mark, row)
    if (number.currency && !currencies.has(number.currency)) currencies.set(number.currency, row)
    return number
  })
  refuseTwo(column, marks, 'decimal marks')
  refuseTwo(column, currencies, 'currencies')
  return numbers
}

function refuseTwo(column: Column, seen: Map<string, Row>, what: string): void {
  if (seen.size < 2) return
  const places = [...seen.values()]
    .slice(0, 2)
    .map((row) => `row ${row.number} has ${JSON.stringify(cellOf(row, column))}`)
  throw new TerminalError('mixed_numbers', `"${column.name}" mixes ${what}: ${places.join(', ')}.`, {
    hint: 'Aggregate each kind on its own with where conditions.',
  })
}
