import type { Client } from 'pg'
import { TerminalError } from '../../domain/errors.ts'
import type { ConnectOptions } from './connect.ts'

/** One run of a command on one connection. */
export interface Session {
  client: Client
  url: string
  /** For what needs a connection of its own. */
  connect: ConnectOptions
  /** How long a statement waits for a lock that others hold, in milliseconds. */
  lockTimeoutMs: number
  log: (line: string) => void
}

/** "task" in ASCII and a number of ours: advisory locks of one database share one space. */
const LOCK = '1952543595, 1'
const ASK_AGAIN_MS = 100
const WAIT_MS = 600_000

/** No other timeouts and no schema of the login's own: a migration does the same whoever runs it. */
const SETTINGS = `set local search_path = ''; set local statement_timeout = 0; set local idle_in_transaction_session_timeout = 0`

/**
 * Runs `work` in a transaction that no other migrate has at the same time. Throws TerminalError `migrate_busy` when another
 * one takes longer than ten minutes.
 */
export async function inLockedTransaction<T>(session: Session, work: () => Promise<T>): Promise<T> {
  const { client, lockTimeoutMs } = session
  return whenFree(session, async () => {
    await client.query(`begin; ${SETTINGS}; set local lock_timeout = ${lockTimeoutMs}`)
    try {
      if (!(await tryLock(client, 'pg_try_advisory_xact_lock'))) {
        await client.query('rollback')
        return undefined
      }
      const result = await work()
      await client.query('commit')
      return { result }
    } catch (error) {
      await client.query('rollback').catch(() => undefined)
      throw error
    }
  })
}

/** The same without a transaction, for what Postgres allows only there: the lock and the settings are the session's. */
export async function inLockedSession<T>(session: Session, work: () => Promise<T>): Promise<T> {
  const { client, lockTimeoutMs } = session
  return whenFree(session, async () => {
    if (!(await tryLock(client, 'pg_try_advisory_lock'))) return undefined
    try {
      await client.query(`${SETTINGS.replaceAll('set local', 'set')}; set lock_timeout = ${lockTimeoutMs}`)
      return { result: await work() }
    } finally {
      await client.query(`reset all; reset role; select pg_advisory_unlock(${LOCK})`).catch(() => undefined)
    }
  })
}

/**
 * Asks again and again instead of waiting in Postgres: a waiting session holds a snapshot, and `create index concurrently`
 * of the lock's holder waits for all older snapshots, so that neither would ever end.
 */
async function whenFree<T>(session: Session, attempt: () => Promise<{ result: T } | undefined>): Promise<T> {
  for (let waitedMs = 0; waitedMs <= WAIT_MS; waitedMs += ASK_AGAIN_MS) {
    const got = await attempt()
    if (got) return got.result
    if (waitedMs === 0) session.log('Another migrate is at work on this database; waiting for it.')
    await new Promise((wake) => setTimeout(wake, ASK_AGAIN_MS))
  }
  throw new TerminalError(
    'migrate_busy',
    'Another migrate has been at work on this database for ten minutes: let it finish, then run this again. In pg_stat_activity it is application_name taskforce-migrate.',
  )
}

async function tryLock(client: Client, how: string): Promise<boolean> {
  const { rows } = await client.query<{ mine: boolean }>(`select pg_catalog.${how}(${LOCK}) as mine`)
  return rows[0]?.mine === true
}
