import { execFile } from 'node:child_process'
import { access } from 'node:fs/promises'
import { promisify } from 'node:util'
import { migrateUp } from '../../src/db/migrate/up.ts'
import { createLogins } from '../../src/db/roles.ts'
import { TerminalError } from '../../src/domain/errors.ts'
import { binariesIn } from '../../src/local/postgres/binaries.ts'
import { startThrowaway } from '../../src/local/postgres/start-throwaway.ts'
import { APP, OWNER, urlFor, withClient } from './database.ts'

const run = promisify(execFile)

/** Where Debian's package puts it. The pg_dump of a distribution reads no newer server, so the server is of its version. */
const DEBIAN_15 = '/usr/lib/postgresql/15'
const PROGRAMS = ['bash', 'pg_dump', 'psql', 'zstd', 'gzip']

/** A Postgres 15 without durability: what is left is the work of reading and writing rows, on both sides of each comparison. */
export interface BackupServer {
  version: string
  database(name: string): Promise<BackupDatabase>
  stop(): Promise<void>
}

export interface BackupDatabase {
  appUrl: string
  ownerUrl: string
  superUrl: string
  drop(): Promise<void>
}

/** Throws TerminalError `bench_needs` naming what is not installed. */
export async function startBackupServer(): Promise<BackupServer> {
  await requirePrograms()
  const { superUrl, stop } = await startThrowaway(binariesIn(DEBIAN_15), {
    shared_buffers: '512MB',
    max_wal_size: '8GB',
    checkpoint_timeout: '1h',
  })
  const version = await withClient(
    superUrl,
    async (client) => (await client.query('show server_version')).rows[0].server_version,
  )
  return {
    version,
    async database(name) {
      await withClient(superUrl, (client) => createLogins(client, { owner: OWNER, app: APP, database: name }))
      const own = new URL(superUrl)
      own.pathname = `/${name}`
      return {
        appUrl: urlFor(superUrl, APP, name),
        ownerUrl: urlFor(superUrl, OWNER, name),
        superUrl: own.href,
        drop: () => withClient(superUrl, async (client) => void (await client.query(`drop database ${name}`))),
      }
    },
    stop,
  }
}

/** With our schema in it. */
export async function migratedDatabase(server: BackupServer, name: string): Promise<BackupDatabase> {
  const database = await server.database(name)
  await migrateUp(database.ownerUrl)
  return database
}

async function requirePrograms(): Promise<void> {
  const missing: string[] = []
  for (const program of PROGRAMS) await run(program, ['--version']).catch(() => missing.push(program))
  await access(binariesIn(DEBIAN_15).postgres).catch(() => missing.push(binariesIn(DEBIAN_15).postgres))
  if (missing.length === 0) return
  throw new TerminalError(
    'bench_needs',
    `The bench of backups compares with programs that are not here: ${missing.join(', ')}. On Debian: apt-get install postgresql-15 zstd`,
  )
}
