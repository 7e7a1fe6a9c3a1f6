import type { ClientBase } from 'pg'

/** "task" in ASCII, as for migrations, and another number of ours. */
const LOCK = '1952543595, 2'

/**
 * Takes the lock that one backup, drill or removal of backups holds at a time; it goes with the connection. False where
 * somebody has it. Past the pooler only: it belongs to the session.
 */
export async function tryUpkeepLock(client: ClientBase): Promise<boolean> {
  const { rows } = await client.query<{ mine: boolean }>(`select pg_catalog.pg_try_advisory_lock(${LOCK}) as mine`)
  return rows[0]?.mine === true
}
