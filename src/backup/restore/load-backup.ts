import { once } from 'node:events'
import { DatabaseError, escapeIdentifier, type Client } from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { splitStatements } from '../../db/migrate/split-statements.ts'
import { isConnectionError } from '../../db/pg-errors.ts'
import { TerminalError } from '../../domain/errors.ts'
import { damaged } from '../codec/damaged.ts'
import { decode } from '../codec/decode.ts'
import type { DumpedTable, Manifest } from '../manifest.ts'
import { readPlain, type Part } from '../plain/read-plain.ts'
import { sumRows } from '../plain/sum-rows.ts'
import { compareSums } from '../plain/verify-plain.ts'
import { readStored, type StoredStream } from './read-stored.ts'

export interface Backup {
  manifest: Manifest
  /** The stored file. */
  chunks: AsyncIterable<Buffer>
  /** What it is encrypted with, if it is. */
  dataKey?: Buffer
}

export interface LoadOptions {
  /** Leaves everything to the login that loads, which may not give it to `taskforce_owner`, nor is to become its member. */
  ownTables?: boolean
  onProgress?: (bytesRead: number, bytesTotal: number) => void
}

/** What would end the transaction that all of a backup goes into. A backup has none of them. */
const TRANSACTION_CONTROL =
  /^(begin|start\s+transaction|commit|end|rollback|abort|savepoint|release|prepare\s+transaction)\b/i

const OWNERS = /^ALTER (DEFAULT PRIVILEGES FOR ROLE [^\n]*|[^\n]* OWNER TO [^\n]*);$/gm

/**
 * Runs a backup's statements and COPY blocks in the open transaction. The file is read once and not twice, as reading is a
 * sixth of a restore's time: what is in it proves to be right or wrong on the way (each table's rows and hash as the database
 * takes them, then its sequences, then the stored file's own hash), and the caller rolls back for anything wrong.
 * @throws TerminalError `backup_damaged`, `backup_differs`, `backup_unreadable`, `key_unavailable`, or `restore_failed` where the
 * database refuses what the file says; and what `chunks` throw
 */
export async function loadBackup(
  client: Client,
  { manifest, chunks, dataKey }: Backup,
  { ownTables = false, onProgress = () => undefined }: LoadOptions = {},
): Promise<void> {
  const { stored, contents } = manifest
  const file = readStored(chunks, (bytes) => onProgress(bytes, stored.bytes))
  try {
    const expected = [...contents.tables]
    for await (const part of readPlain(decode(file.chunks, dataKey))) {
      if (part.kind === 'sql') {
        if (ownTables && part.section === 'membership') continue
        await runSql(client, ownTables ? part.text.replaceAll(OWNERS, '') : part.text)
      } else await copyRows(client, part, expected.shift())
    }
    const [lacking] = expected
    if (lacking !== undefined) throw damaged(`the rows of ${lacking.name} are not in it`)
    await compareFile(file, manifest)
    // Other than at its start: a backup's own settings hold to the transaction's end.
    await client.query(`set local row_security = on; set local search_path = ''`)
    await compareSequences(client, manifest)
  } catch (error) {
    throw await becauseOfTheFile(error, file, manifest)
  } finally {
    await file.close().catch(() => undefined)
  }
}

async function runSql(client: Client, text: string): Promise<void> {
  const control = splitStatements(text).find((statement) => TRANSACTION_CONTROL.test(statement))
  if (control !== undefined) throw damaged(`it holds "${control.slice(0, 40)}", which no backup does`)
  await client.query(text)
}

async function copyRows(
  client: Client,
  part: Extract<Part, { kind: 'copy' }>,
  expected: DumpedTable | undefined,
): Promise<void> {
  if (expected?.name !== part.table)
    throw damaged(`it has rows of ${part.table} where ${expected?.name ?? 'none'} belong`)
  const copy = client.query(copyFrom(part.statement))
  let failure: unknown
  copy.on('error', (error) => (failure ??= error))
  const sum = sumRows()
  try {
    for await (const chunk of part.rows) {
      if (failure !== undefined) throw failure
      sum.add(chunk)
      // Rejects with the stream's error as well.
      if (!copy.write(chunk)) await once(copy, 'drain')
    }
  } catch (error) {
    copy.destroy(error instanceof Error ? error : undefined)
    throw error
  }
  if (failure !== undefined) throw failure
  copy.end()
  await once(copy, 'finish')
  compareSums(expected, sum.end(), 'in the file')
  if (copy.rowCount !== expected.rows) {
    throw damaged(`the database took ${copy.rowCount} rows of ${expected.name} in place of ${expected.rows}`)
  }
}

async function compareFile(file: StoredStream, { stored }: Manifest): Promise<void> {
  const { bytes, sha256 } = await file.rest()
  if (bytes !== stored.bytes) throw damaged(`it has ${bytes} bytes, and had ${stored.bytes}`)
  if (sha256 !== stored.sha256) throw damaged('its hash is not that of the manifest')
}

async function compareSequences(client: Client, { contents }: Manifest): Promise<void> {
  for (const { name, lastValue, isCalled } of contents.sequences) {
    const { rows } = await client.query<{ last: string; called: boolean }>(
      `select last_value::text as last, is_called as called from taskforce.${escapeIdentifier(name)}`,
    )
    if (rows[0]?.last !== lastValue || rows[0].called !== isCalled) {
      throw new TerminalError(
        'backup_differs',
        `The sequence ${name} is at ${rows[0]?.last ?? 'nothing'} after the restore, and was at ${lastValue}.`,
      )
    }
  }
}

/** Where a file is not what the manifest says, that is the reason, whatever came of it first: a row that the database refuses. */
async function becauseOfTheFile(error: unknown, file: StoredStream, manifest: Manifest): Promise<unknown> {
  // Of a connection that the server ended, nobody is to look into the file.
  if (!(error instanceof DatabaseError) || isConnectionError(error)) return error
  try {
    await compareFile(file, manifest)
  } catch (why) {
    return why
  }
  return new TerminalError(
    'restore_failed',
    `The database refuses what the backup holds: ${error.message} [${error.code ?? 'no code'}].`,
    { cause: error },
  )
}
