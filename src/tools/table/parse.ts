import { TerminalError } from '../../domain/errors.ts'
import { parseJsonTable } from './parse-json.ts'
import type { Row, Table } from './table.ts'

const DELIMITERS = [',', ';', '\t'] as const

/**
 * A CSV text or a JSON array of objects as a table. JSON is told by the name's ending, or by a first `[` in a file that is
 * not called .csv or .tsv. TerminalError `bad_table` names the line that does not fit.
 */
export async function parseTable(name: string, text: string): Promise<Table> {
  const isJson = /\.json$/i.test(name) || (!/\.[ct]sv$/i.test(name) && text.trimStart().startsWith('['))
  return isJson ? parseJsonTable(name, text) : parseCsv(name, text)
}

/** The delimiter that the header line has most of outside quotes; a tie, or none at all, goes to the comma. */
export function detectDelimiter(text: string): string {
  const counts = new Map<string, number>(DELIMITERS.map((delimiter) => [delimiter, 0]))
  let quoted = false
  for (const char of text) {
    if (char === '"') quoted = !quoted
    if (quoted) continue
    if (char === '\n' || char === '\r') break
    const count = counts.get(char)
    if (count !== undefined) counts.set(char, count + 1)
  }
  return [...counts].reduce((best, next) => (next[1] > best[1] ? next : best))[0]
}

async function parseCsv(name: string, text: string): Promise<Table> {
  const { parse } = await import('csv-parse/sync')
  let records: string[][]
  try {
    records = parse(text, { delimiter: detectDelimiter(text), bom: true, skip_empty_lines: true })
  } catch (error) {
    throw new TerminalError('bad_table', `${name} is not a well-formed CSV file: ${messageOf(error)}.`, {
      hint: 'Read the file with read_file to see the line; every line needs as many fields as the header, and quotes in pairs.',
      cause: error,
    })
  }
  const [header, ...body] = records
  if (!header) throw new TerminalError('bad_table', `${name} is empty: there is no header line.`)
  return { columns: distinctNames(header), rows: body.map((cells, index): Row => ({ number: index + 1, cells })) }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message.replace(/\.$/, '') : String(error)
}

/** Names a nameless column by its place and the second of two equal names `name (2)`. */
function distinctNames(header: string[]): string[] {
  const taken = new Set<string>()
  return header.map((title, index) => {
    const base = title.trim() || `column ${index + 1}`
    let name = base
    for (let copy = 2; taken.has(name); copy++) name = `${base} (${copy})`
    taken.add(name)
    return name
  })
}
