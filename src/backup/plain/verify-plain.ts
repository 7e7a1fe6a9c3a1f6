import { createHash } from 'node:crypto'
import { TerminalError } from '../../domain/errors.ts'
import type { DumpContents, DumpedTable } from '../manifest.ts'
import { setSequence } from './form.ts'
import { type Part, readPlain } from './read-plain.ts'
import { type RowSum, sumRows } from './sum-rows.ts'

/**
 * Reads all of the plain SQL and compares it with what the dump wrote: each table's rows, bytes and hash, the sequences, and the
 * text around them. Throws TerminalError `backup_differs` naming the first difference, and `backup_unreadable`.
 */
export async function verifyPlain(chunks: AsyncIterable<Buffer>, contents: DumpContents): Promise<void> {
  const hash = createHash('sha256')
  let bytes = contents.tables.reduce((sum, table) => sum + table.bytes, 0)
  const expected = [...contents.tables]
  let sequences = ''
  const parts = readPlain(chunks, (text) => {
    hash.update(text)
    bytes += text.length
  })
  for await (const part of parts) {
    if (part.kind === 'copy') await compareTable(expected.shift(), part)
    else if (part.section === 'sequences') sequences = part.text
  }
  const [lacking] = expected
  if (lacking !== undefined) throw differs(`the rows of ${lacking.name} are not in it`)
  compareSequences(sequences, contents)
  if (bytes !== contents.plain.bytes) throw differs(`it has ${bytes} bytes, and had ${contents.plain.bytes}`)
  if (hash.digest('hex') !== contents.plain.textSha256) throw differs('its SQL is not the same')
}

/** Throws TerminalError `backup_differs` where a table's rows are not those of the manifest. */
export function compareSums(expected: DumpedTable, found: RowSum, place: string): void {
  if (found.rows !== expected.rows) {
    throw differs(`${expected.name} has ${found.rows} rows ${place}, and had ${expected.rows}`)
  }
  if (found.bytes !== expected.bytes || found.sha256 !== expected.sha256) {
    throw differs(`the rows of ${expected.name} are not the same ${place}`)
  }
}

async function compareTable(expected: DumpedTable | undefined, part: Part & { kind: 'copy' }): Promise<void> {
  if (expected?.name !== part.table) throw differs(`${part.table} stands where ${expected?.name ?? 'nothing'} should`)
  if (JSON.stringify(expected.columns) !== JSON.stringify(part.columns))
    throw differs(`${part.table} has other columns in it`)
  const sum = sumRows()
  for await (const chunk of part.rows) sum.add(chunk)
  compareSums(expected, sum.end(), 'in it')
}

function compareSequences(text: string, { sequences }: DumpContents): void {
  const lines = text.split('\n').filter((line) => line !== '')
  const lacking = sequences.find((sequence) => !lines.includes(setSequence(sequence)))
  if (lacking !== undefined) throw differs(`the sequence ${lacking.name} is not in it with its value`)
  if (lines.length !== sequences.length) throw differs('it sets sequences that the dump did not see')
}

function differs(what: string): TerminalError {
  return new TerminalError('backup_differs', `The backup is not what was dumped: ${what}. It can't be trusted.`, {
    hint: 'Take another backup (npm run backup -- list), or the offsite copy of this one.',
  })
}
