import { z } from 'zod'
import { decodeText } from './decode-text.ts'
import { parseTable } from './table/parse.ts'
import { queryTable, type QueryResult } from './table/query.ts'
import type { Tool } from './tool.ts'

const MAX_OUTPUT_BYTES = 65_536
/** What the rows may take; the rest is for the frame and the note. */
const ROW_BYTES = MAX_OUTPUT_BYTES - 1024

const column = z.string().max(1000).describe("A column's name exactly as in the file's header.")

const input = z.strictObject({
  file: z
    .string()
    .min(1)
    .max(200)
    .describe('Name of a CSV file or a JSON file (an array of objects) in the workspace.'),
  where: z
    .array(
      z.strictObject({
        column,
        op: z
          .enum(['=', '!=', '>', '>=', '<', '<=', 'contains'])
          .describe('Numbers compare as numbers, everything else as text; "contains" ignores upper and lower case.'),
        value: z
          .union([z.string().max(1000), z.number()])
          .describe('What to compare with, such as 100 or "2026-01-31".'),
      }),
    )
    .max(20)
    .optional()
    .describe('Keeps only the rows for which all of these hold.'),
  groupBy: z.array(column).max(20).optional().describe('Makes one row of all rows that are equal in these columns.'),
  aggregate: z
    .array(
      z.strictObject({
        column: column.optional().describe('The column to aggregate. Leave it out only to count rows.'),
        op: z.enum(['sum', 'count', 'min', 'max', 'avg']),
        as: z.string().min(1).max(100).optional().describe('Name of the result. By default such as "sum_amount".'),
      }),
    )
    .max(20)
    .optional()
    .describe('What to work out for each group, or over all rows when groupBy is absent. Empty cells do not count.'),
  sort: z
    .array(
      z.strictObject({
        column: z
          .string()
          .max(1000)
          .describe('A column of the result: with aggregates, a grouped column or a name from "as".'),
        direction: z.enum(['asc', 'desc']).optional().describe('"asc" when absent.'),
      }),
    )
    .max(20)
    .optional()
    .describe('Order of the rows. Empty cells come last.'),
  limit: z.int().min(1).max(10_000).default(100).describe('Most rows to return; totalRows says how many there are.'),
})

/** Filters, groups, sums and sorts a table exactly; the answer always is whole JSON, with fewer rows when they don't fit. */
export const queryTableTool: Tool<z.infer<typeof input>> = {
  name: 'query_table',
  description:
    'Filters, groups, sums and sorts a table in a CSV or JSON file, exactly to the last digit. Returns JSON with columns, rows (values are strings) and totalRows. Call it with only the file and limit 3 to see what a table looks like.',
  input,
  effect: 'read',
  timeoutMs: 60_000,
  maxOutputBytes: MAX_OUTPUT_BYTES,
  async run({ file, ...query }, { workspace }) {
    const table = await parseTable(file, decodeText(file, await workspace.read(file)))
    return { text: render(queryTable(table, query)) }
  },
}

function render({ columns, rows, totalRows }: QueryResult): string {
  // fromEntries defines properties, so a column called __proto__ is one like any other.
  const objects = rows.map((row) => Object.fromEntries(columns.map((name, index) => [name, row[index] ?? null])))
  let bytes = Buffer.byteLength(JSON.stringify(columns))
  const over = objects.findIndex((object) => (bytes += Buffer.byteLength(JSON.stringify(object)) + 1) > ROW_BYTES)
  if (over === -1) return JSON.stringify({ columns, rows: objects, totalRows })
  const note = `Only the first ${over} rows fit into one answer. Narrow the query with where, groupBy or limit.`
  return JSON.stringify({ columns, rows: objects.slice(0, over), totalRows, note })
}
