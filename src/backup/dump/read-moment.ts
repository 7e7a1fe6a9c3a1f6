import type { ClientBase } from 'pg'
import { readApplied } from '../../db/migrate/status.ts'
import { TerminalError } from '../../domain/errors.ts'
import type { DumpContents } from '../manifest.ts'

type Moment = Pick<DumpContents, 'snapshotAt' | 'revision' | 'minCode' | 'migrations' | 'server'>

/** Which moment of which database the open transaction sees. Throws TerminalError `backup_no_schema`. */
export async function readMoment(client: ClientBase): Promise<Moment> {
  const { rows } = await client.query<{ at: Date; version: string; wal: string | null }>(
    `select clock_timestamp() as at, current_setting('server_version') as version,
       case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end::text as wal`,
  )
  const [server] = rows
  if (server === undefined) throw new Error('select without from gave no row')
  const applied = await readApplied(client)
  if (applied.length === 0) {
    throw new TerminalError(
      'backup_no_schema',
      'The database has no schema of Taskforce, so there is nothing to back up.',
      {
        hint: 'Correct DATABASE_DIRECT_URL or DATABASE_URL, or make the schema: npm run migrate -- up',
      },
    )
  }
  return {
    snapshotAt: server.at.toISOString(),
    revision: Math.max(...applied.map(({ revision }) => revision)),
    minCode: Math.max(...applied.map(({ minCode }) => minCode)),
    migrations: applied.map(({ revision, name, checksum }) => ({ revision, name, sha256: checksum })),
    server: { version: server.version, ...(server.wal === null ? {} : { walPosition: server.wal }) },
  }
}
