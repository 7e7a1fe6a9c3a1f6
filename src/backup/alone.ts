import type { Client } from 'pg'
import { withClient } from '../db/migrate/connect.ts'
import { tryUpkeepLock } from '../db/queries/upkeep-lock.ts'
import { TerminalError } from '../domain/errors.ts'
import type { BackupContext } from './context.ts'

/**
 * Runs `work` while no other backup or drill is under way, with the connection that holds the lock. Throws TerminalError
 * `upkeep_running` where one is.
 */
export async function alone<T>(
  { databaseUrl, connect }: Pick<BackupContext, 'databaseUrl' | 'connect'>,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  return withClient(
    databaseUrl,
    async (client) => {
      if (!(await tryUpkeepLock(client))) {
        throw new TerminalError('upkeep_running', 'Another backup or drill is under way.', {
          hint: 'Let it finish; in pg_stat_activity it is application_name taskforce-backup.',
        })
      }
      return work(client)
    },
    { ...connect, name: 'taskforce-backup' },
  )
}
