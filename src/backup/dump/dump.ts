import { DatabaseError, type Client } from 'pg'
import { isConnectionError } from '../../db/pg-errors.ts'
import { TerminalError } from '../../domain/errors.ts'
import type { DumpContents, DumpedSequence, DumpedTable } from '../manifest.ts'
import { OPENING, SETTINGS, copyFrom, dataMark, endMark, sectionMark, setSequence } from '../plain/form.ts'
import { qualified } from '../plain/quote.ts'
import { additions, isTaken } from './additions.ts'
import { copyOut } from './copy-out.ts'
import { driftOf } from './drift.ts'
import { estimateBytes, refuseTooLarge } from './estimate.ts'
import type { Inventory } from './inventory.ts'
import { knownObjects } from './known-objects.ts'
import { ownerMembership } from './owner-membership.ts'
import { createPlainWriter } from './plain-writer.ts'
import { readMoment } from './read-moment.ts'
import { missingFrom, refuseUnreadable } from './refuse-unreadable.ts'
import { rolePrelude } from './role-prelude.ts'
import { type Sections, readSections } from './sections.ts'
import type { Isolation } from './session.ts'
import { takeSnapshot } from './take-snapshot.ts'
import { DUMP_LIMITS, type DumpLimits, disconnect, startWatchdog } from './watchdog.ts'

export interface DumpOptions {
  /** Of this code, for the opening comment. */
  version: string
  log?: (line: string) => void
  /** Refuse to begin where the rows take more bytes on disk. */
  limitBytes?: number
  signal?: AbortSignal
  /** Bytes of rows so far, and about how many there will be: the text is longer or shorter than what is on disk. */
  onProgress?: (bytes: number, estimate: number) => void
  limits?: Partial<DumpLimits>
  /** Another folder of sections than the project's. */
  sectionsDir?: string
  /** Anything but the default gives a copy of no moment at all: for the test that shows so. */
  isolation?: Isolation
}

interface Run {
  client: Client
  options: DumpOptions
  write: (chunk: Buffer) => Promise<void>
  watch: <T>(waiting: Promise<T>) => Promise<T>
}

/**
 * Writes the schema `taskforce` of one moment as plain SQL that psql 15 to 18 restores by itself, in constant memory: `write`
 * gets chunks in order and is waited for. `client` is connected past any pooler, has a listener for errors, and is of no use
 * afterwards. Answers what was written. Throws TerminalError with what to do, in bounded time however dead the other side is;
 * what was written until then is no backup.
 */
export async function dump(
  client: Client,
  write: (chunk: Buffer) => Promise<void>,
  options: DumpOptions,
): Promise<DumpContents> {
  const watchdog = startWatchdog(client, { ...DUMP_LIMITS, ...options.limits }, options.signal)
  let ofWriter: unknown
  const passOn = (chunk: Buffer) =>
    write(chunk).catch((error: unknown) => {
      ofWriter = error
      throw error
    })
  try {
    const { watch } = watchdog
    const contents = await dumpSnapshot({ client, options, write: passOn, watch })
    await watch(client.query('commit'))
    return contents
  } catch (error) {
    throw error === ofWriter ? error : explained(error)
  } finally {
    watchdog.close()
    disconnect(client)
  }
}

async function dumpSnapshot(run: Run): Promise<DumpContents> {
  const { client, options, watch } = run
  const lockMs = options.limits?.lockMs ?? DUMP_LIMITS.lockMs
  const inventory = await watch(takeSnapshot(client, options.isolation ?? 'repeatable read', lockMs))
  const moment = await watch(readMoment(client))
  const sections = await readSections(moment.revision, options.sectionsDir)
  const known = knownObjects(sections.fingerprint)
  refuseUnreadable(inventory, known)
  const missing = missingFrom(inventory, known)
  const drift = await watch(driftOf(client, moment.revision, options.sectionsDir))
  const estimate = await watch(estimateBytes(client))
  refuseTooLarge(estimate, options.limitBytes)
  for (const line of missing) options.log?.(`Not in the backup: ${line}`)
  for (const line of drift) options.log?.(`The schema is not that of its migrations: ${line}`)
  return { ...moment, missing, drift, ...(await writePlain(run, inventory, sections, estimate)) }
}

async function writePlain(
  { client, options, write, watch }: Run,
  inventory: Inventory,
  sections: Sections,
  estimate: number,
): Promise<Pick<DumpContents, 'tables' | 'sequences' | 'plain'>> {
  const plain = createPlainWriter(write)
  const text = (...texts: string[]) => watch(plain.text(texts.join('\n')))
  await text(`${OPENING}-- Written by Taskforce ${options.version.replaceAll(/[^\w.+-]/g, '')}.`, '')
  await text(sectionMark('settings'), SETTINGS)
  await text(sectionMark('roles'), rolePrelude())
  await text(sectionMark('membership'), ownerMembership())
  await text(sectionMark('pre'), sections.pre)
  const extra = additions(inventory, knownObjects(sections.fingerprint))
  if (extra !== '') await text(sectionMark('extra'), extra)

  const tables: DumpedTable[] = []
  let [rows, bytes] = [0, 0]
  for (const { name, columns } of inventory.tables.filter(isTaken)) {
    const table = { table: name, columns: columns.map((column) => column.name) }
    await text(dataMark(table), copyFrom(table), '')
    const take = async (chunk: Buffer) => {
      await plain.rows(chunk)
      bytes += chunk.length
      options.onProgress?.(bytes, estimate)
    }
    const sum = await copyOut(client, table, take, watch)
    await text('\\.', '')
    tables.push({ name, columns: table.columns, ...sum })
    rows += sum.rows
  }

  const sequences = await readSequences(client, inventory, watch)
  await text(sectionMark('sequences'), ...sequences.map(setSequence), '')
  await text(sectionMark('post'), sections.post)
  await text(endMark(tables.length, rows), '')
  return { tables, sequences, plain: plain.end() }
}

/** After the rows: a sequence is of no snapshot, and a later value is past every row that was taken. */
async function readSequences(client: Client, inventory: Inventory, watch: Run['watch']): Promise<DumpedSequence[]> {
  const sequences: DumpedSequence[] = []
  for (const { name } of inventory.sequences.filter(({ readable }) => readable)) {
    const { rows } = await watch(
      client.query<Omit<DumpedSequence, 'name'>>(
        `select last_value::text as "lastValue", is_called as "isCalled" from ${qualified(name)}`,
      ),
    )
    const [row] = rows
    if (row === undefined) throw new Error('a sequence has one row')
    sequences.push({ name, ...row })
  }
  return sequences
}

function explained(error: unknown): unknown {
  if (error instanceof TerminalError) return error
  const why = error instanceof Error ? error.message : String(error)
  if (isConnectionError(error)) {
    return new TerminalError('backup_cut_off', `The connection to the database ended during the backup (${why}).`, {
      hint: 'Nothing is left of it. Look at the database, then run it again: npm run backup -- now',
      cause: error,
    })
  }
  if (!(error instanceof DatabaseError)) return error
  return new TerminalError('backup_failed', `The database ended the backup: ${why} (${error.code}).`, {
    hint: 'Nothing is left of it. Run it again when the reason is gone: npm run backup -- now',
    cause: error,
  })
}
