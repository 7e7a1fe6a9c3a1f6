import type { Client } from 'pg'
import { withClient } from './connect.ts'
import type { Session } from './lock.ts'

const SEEN = `
select pid,
  format('session %s (user %s%s%s%s)', pid, usename, ', ' || nullif(application_name, ''), ', ' || state,
    to_char(xact_start at time zone 'UTC', '", in a transaction since "HH24:MI:SS" UTC"')) as text
from pg_catalog.pg_stat_activity where pid = any (pg_catalog.pg_blocking_pids($1))`

export interface Blocker {
  pid: number
  /** For people: who it is and since when, as far as this login may know. */
  text: string
}

/**
 * Runs `work` and looks from a second connection who keeps the session waiting: once the wait is over, nobody can tell any
 * more. `seen` holds those of the last look that found any.
 */
export async function watchBlockers<T>(session: Session, work: (seen: () => Blocker[]) => Promise<T>): Promise<T> {
  const pid = await backendPid(session.client)
  const everyMs = Math.max(20, (session.lockTimeoutMs || 4_000) / 4)
  const over = new AbortController()
  let blockers: Blocker[] = []
  const watching = watch(everyMs, over.signal, session, async (client) => {
    const { rows } = await client.query<Blocker>(SEEN, [pid])
    if (rows.length > 0) blockers = rows
  })
  try {
    return await work(() => blockers)
  } finally {
    over.abort()
    await watching
  }
}

async function watch(
  everyMs: number,
  over: AbortSignal,
  { url, connect }: Session,
  look: (client: Client) => Promise<void>,
): Promise<void> {
  await sleep(everyMs, over)
  if (over.aborted) return
  // It only explains: a watcher that can't connect or look must not fail the migration.
  const looking = async (client: Client) => {
    while (!over.aborted) {
      await look(client)
      await sleep(everyMs, over)
    }
  }
  await withClient(url, looking, connect).catch(() => undefined)
}

function sleep(ms: number, over: AbortSignal): Promise<void> {
  return new Promise((wake) => {
    const timer = setTimeout(done, ms)
    function done(): void {
      clearTimeout(timer)
      over.removeEventListener('abort', done)
      wake()
    }
    over.addEventListener('abort', done)
    if (over.aborted) done()
  })
}

async function backendPid(client: Client): Promise<number> {
  const { rows } = await client.query<{ pid: number }>('select pg_catalog.pg_backend_pid() as pid')
  return rows[0]?.pid ?? 0
}
