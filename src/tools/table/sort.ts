import { compareText } from './compare.ts'
import { parseNumber } from './number.ts'

export interface SortKey {
  column: string
  direction?: 'asc' | 'desc'
}

type Cell = string | null
type Rank =
  { kind: 'number'; value: NonNullable<ReturnType<typeof parseNumber>>['value'] } | { kind: 'text'; value: string }

/**
 * Sorts stably by several keys. Numbers compare as numbers and come before text, which makes the order total: comparing
 * "10", "2" and "1a" pairwise by whatever fits would go round in a circle. Empty cells come last in both directions.
 */
export function sortRows(rows: Cell[][], keys: SortKey[], indexOf: (column: string) => number): Cell[][] {
  if (keys.length === 0) return rows
  const columns = keys.map(({ column, direction }) => ({ index: indexOf(column), sign: direction === 'desc' ? -1 : 1 }))
  return rows
    .map((row) => ({ row, ranks: columns.map(({ index }) => rankOf(row[index])) }))
    .sort((a, b) => {
      for (const [at, { sign }] of columns.entries()) {
        const order = compareRanks(a.ranks[at], b.ranks[at], sign)
        if (order !== 0) return order
      }
      return 0
    })
    .map(({ row }) => row)
}

function rankOf(cell: Cell | undefined): Rank | undefined {
  if (cell === null || cell === undefined || cell.trim() === '') return undefined
  const number = parseNumber(cell)
  return number ? { kind: 'number', value: number.value } : { kind: 'text', value: cell }
}

function compareRanks(a: Rank | undefined, b: Rank | undefined, sign: number): number {
  if (!a || !b) return Number(!a) - Number(!b)
  if (a.kind === 'number') return sign * (b.kind === 'number' ? a.value.comparedTo(b.value) : -1)
  return sign * (b.kind === 'text' ? compareText(a.value, b.value) : 1)
}
