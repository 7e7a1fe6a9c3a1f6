import type { Client, ClientBase } from 'pg'
import { TerminalError } from '../../domain/errors.ts'
import { bootstrap } from './bootstrap.ts'
import { withClient, type ConnectOptions } from './connect.ts'
import { inLockedSession, inLockedTransaction, type Session } from './lock.ts'
import { type Migration, migrationLabel, readMigrations, revisionLabel } from './read-migrations.ts'
import { runScript } from './run-script.ts'
import { type Applied, type Status, pendingOf, readApplied, statusOf } from './status.ts'

export interface RunOptions {
  /** Another folder of SQL files than the project's. */
  dir?: string
  /** How to sign in where the password is not in the URL. */
  connect?: ConnectOptions
  /** How long a statement waits for a lock, in milliseconds; 5,000 by default. */
  lockTimeoutMs?: number
  log?: (line: string) => void
}

export interface UpOptions extends RunOptions {
  /** The last revision to apply; all by default. */
  to?: number
  /**
   * Of code that goes on running: stops before the first migration that it can't run with. Whoever deploys expands the schema
   * for the new code so, and does the rest when the old one is gone.
   */
  codeRevision?: number
}

/** `done`: the migrations that this run itself applied or took back. */
export type RunReport = Status & { done: string[] }

export const LOCK_TIMEOUT_MS = 5_000

/**
 * Brings a database up to date, or up to a revision. Any number may start at once: one applies, the others wait and see
 * it done. Throws TerminalError with what to do.
 */
export async function migrateUp(url: string, options: UpOptions = {}): Promise<RunReport> {
  const migrations = await readMigrations(options.dir)
  const upTo = migrations.filter(({ revision }) => revision <= (options.to ?? Infinity))
  const breaking = upTo.findIndex(({ minCode }) => minCode > (options.codeRevision ?? Infinity))
  const wanted = breaking < 0 ? upTo : upTo.slice(0, breaking)
  if (options.to !== undefined && upTo.at(-1)?.revision !== options.to) throw unknownRevision(options.to, migrations)
  const work = async (client: Client): Promise<RunReport> => {
    const session = openSession(client, url, options)
    const applied = await readApplied(client)
    warnOfChanges(session, migrations, applied)
    const done: Migration[] = []
    if (pendingOf(wanted, applied).length > 0) {
      await bootstrap(session)
      for (let next = await applyNext(session, wanted); next; next = await applyNext(session, wanted)) done.push(next)
    }
    return { ...statusOf(migrations, await readApplied(client)), done: done.map(migrationLabel) }
  }
  return withClient(url, work, options.connect)
}

export function openSession(client: Client, url: string, options: RunOptions): Session {
  const { connect = {}, lockTimeoutMs = LOCK_TIMEOUT_MS, log = () => undefined } = options
  return { client, url, connect, lockTimeoutMs, log }
}

export function unknownRevision(revision: number, known: { revision: number; name: string }[]): TerminalError {
  const names = known.map(migrationLabel).join(', ') || 'none'
  return new TerminalError(
    'unknown_revision',
    `There is no revision ${revisionLabel(revision)} to go to. There are: ${names}.`,
  )
}

/** Applies the first that is pending, and answers undefined when none is. */
async function applyNext(session: Session, wanted: Migration[]): Promise<Migration | undefined> {
  for (;;) {
    const next = nextOf(wanted, await readApplied(session.client))
    if (!next) return undefined
    const locked = next.up.transaction ? inLockedTransaction : inLockedSession
    const mine = await locked(session, async () => {
      // Read again under the lock: whoever had it before may have applied this one.
      if (nextOf(wanted, await readApplied(session.client)) !== next) return false
      await session.client.query(`set ${next.up.transaction ? 'local ' : ''}role taskforce_owner`)
      return next.up.transaction ? applyInTransaction(session, next) : applyByStatements(session, next)
    })
    if (!mine) continue
    session.log(`Applied ${migrationLabel(next)}.`)
    return next
  }
}

/** The row goes first (after graphile/worker): a runner that does not know the lock is seen by the primary key. */
async function applyInTransaction(session: Session, migration: Migration): Promise<boolean> {
  if (!(await record(session.client, migration))) return false
  await runScript(session, migration.up)
  return true
}

/** Here the row goes last, since what is done before a failure stays done and has to be carried on with. */
async function applyByStatements(session: Session, migration: Migration): Promise<boolean> {
  await runScript(session, migration.up)
  return record(session.client, migration)
}

async function record(client: ClientBase, { revision, name, checksum, minCode }: Migration): Promise<boolean> {
  const { rowCount } = await client.query(
    `insert into taskforce.migrations (revision, name, checksum, min_code) values ($1, $2, $3, $4)
     on conflict do nothing`,
    [revision, name, checksum, minCode],
  )
  return rowCount === 1
}

function nextOf(wanted: Migration[], applied: Applied[]): Migration | undefined {
  const [next] = pendingOf(wanted, applied)
  const newer = applied.findLast(({ revision }) => next && revision > next.revision)
  if (!next || !newer) return next
  throw new TerminalError(
    'migration_out_of_order',
    `${migrationLabel(next)} is not in the database, but ${migrationLabel(newer)}, which comes after it, is: give the missing one the next free number, or take the later one back first.`,
  )
}

function warnOfChanges(session: Session, migrations: Migration[], applied: Applied[]): void {
  for (const migration of migrations) {
    const row = applied.find(({ revision }) => revision === migration.revision)
    if (!row || row.checksum === migration.checksum) continue
    session.log(
      `${migration.up.file} was changed after it was applied, so the schema may differ: npm run migrate -- check`,
    )
  }
}
