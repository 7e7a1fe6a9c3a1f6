import { TerminalError } from '../../domain/errors.ts'
import { aggregateRows, type Aggregation, type Column } from './aggregate.ts'
import { cellTest, type Operator } from './compare.ts'
import { sortRows, type SortKey } from './sort.ts'
import type { Row, Table } from './table.ts'

/** What to ask of a table; the parts apply in this order. */
export interface Query {
  where?: { column: string; op: Operator; value: string | number }[]
  groupBy?: string[]
  aggregate?: { column?: string; op: Aggregation; as?: string }[]
  sort?: SortKey[]
  limit?: number
}

export interface QueryResult {
  columns: string[]
  rows: (string | null)[][]
  /** Rows there are before the limit. */
  totalRows: number
}

/**
 * Answers a query from a table; pure. Groups come in the order of their first row. TerminalError `unknown_column` names the
 * columns that there are; `bad_query` says what is wrong with the aggregates; and see `aggregateRows` and `cellTest`.
 */
export function queryTable(table: Table, query: Query): QueryResult {
  const rows = filterRows(table, query.where ?? [])
  const grouped = query.groupBy?.length || query.aggregate?.length
  const result = grouped
    ? groupRows(table, rows, query)
    : { columns: table.columns, rows: rows.map((row): (string | null)[] => row.cells) }
  const sorted = sortRows(result.rows, query.sort ?? [], (column) => columnIndex(result.columns, column))
  return { columns: result.columns, rows: sorted.slice(0, query.limit), totalRows: sorted.length }
}

function filterRows(table: Table, conditions: NonNullable<Query['where']>): Row[] {
  return conditions.reduce((rows, { column, op, value }) => {
    const index = columnIndex(table.columns, column)
    const test = cellTest(column, op, String(value))
    return rows.filter((row) => test(row.cells[index] ?? '', row))
  }, table.rows)
}

function groupRows(table: Table, rows: Row[], { groupBy = [], aggregate = [] }: Query) {
  const by = groupBy.map((column) => columnIndex(table.columns, column))
  const measures = aggregate.map(({ column, op, as }) => ({
    op,
    column: measuredColumn(table, op, column),
    as: as ?? (column === undefined ? op : `${op}_${column}`),
  }))
  const columns = [...groupBy, ...measures.map((measure) => measure.as)]
  const twice = columns.find((column, index) => columns.indexOf(column) !== index)
  if (twice !== undefined) {
    throw new TerminalError('bad_query', `Two columns of the result would be called "${twice}".`, {
      hint: 'Give the aggregate another name with "as".',
    })
  }
  const groups = collectGroups(rows, by)
  return {
    columns,
    rows: groups.map(({ key, members }): (string | null)[] => [
      ...key,
      ...measures.map(({ op, column }) => aggregateRows(op, column, members)),
    ]),
  }
}

/** Without columns to group by there is one group, also of no rows, as in SQL. */
function collectGroups(rows: Row[], by: number[]): { key: string[]; members: Row[] }[] {
  if (by.length === 0) return [{ key: [], members: rows }]
  const groups = new Map<string, { key: string[]; members: Row[] }>()
  for (const row of rows) {
    const key = by.map((index) => row.cells[index] ?? '')
    const id = JSON.stringify(key)
    const group = groups.get(id)
    if (group) group.members.push(row)
    else groups.set(id, { key, members: [row] })
  }
  return [...groups.values()]
}

function measuredColumn(table: Table, op: Aggregation, name: string | undefined): Column | undefined {
  if (name !== undefined) return { name, index: columnIndex(table.columns, name) }
  if (op === 'count') return undefined
  throw new TerminalError('bad_query', `The aggregate "${op}" needs a column; only "count" goes without.`, {
    hint: `Columns: ${table.columns.join(', ')}.`,
  })
}

function columnIndex(columns: string[], name: string): number {
  const index = columns.indexOf(name)
  if (index !== -1) return index
  const shown = columns.slice(0, 100).map((column) => JSON.stringify(column))
  const more = columns.length > shown.length ? ` and ${columns.length - shown.length} more` : ''
  throw new TerminalError(
    'unknown_column',
    `There is no column "${name}". The columns are ${shown.join(', ')}${more}.`,
    {
      hint: 'Use a column name exactly as given here. After grouping, sort by a grouped column or an aggregate.',
    },
  )
}
