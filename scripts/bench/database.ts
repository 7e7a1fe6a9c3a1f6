import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { migrateUp } from '../../src/db/migrate/up.ts'
import { createLogins } from '../../src/db/roles.ts'
import { startPostgres } from '../../src/local/postgres/start-postgres.ts'

export const OWNER = { name: 'taskforce', password: 'taskforce' }
export const APP = { name: 'taskforce_app', password: 'taskforce' }

/** A Postgres with its defaults (every commit on disk), for the time of a bench. */
export interface BenchServer {
  superUrl: string
  version: string
  /** A database with our schema, freshly made, and the checkpoint behind it: no full-page images fall into the run. */
  fresh(): Promise<BenchDatabase>
  stop(): Promise<void>
}

export interface BenchDatabase {
  appUrl: string
  ownerUrl: string
  drop(): Promise<void>
}

export async function startServer(): Promise<BenchServer> {
  const folder = await mkdtemp(join(tmpdir(), 'taskforce-bench-'))
  const postgres = await startPostgres({ dataDir: join(folder, 'postgres') })
  const { superUrl } = postgres
  await withClient(superUrl, (client) => createLogins(client, { owner: OWNER, app: APP, database: 'bench_template' }))
  await migrateUp(urlFor(superUrl, OWNER, 'bench_template'))
  let made = 0
  return {
    superUrl,
    version: await withClient(
      superUrl,
      async (client) => (await client.query('show server_version')).rows[0].server_version,
    ),
    async fresh() {
      const name = `bench_${++made}`
      await withClient(superUrl, async (client) => {
        await client.query(`create database ${name} template bench_template owner ${OWNER.name}`)
        await client.query('checkpoint')
      })
      return {
        appUrl: urlFor(superUrl, APP, name),
        ownerUrl: urlFor(superUrl, OWNER, name),
        drop: () => withClient(superUrl, async (client) => void (await client.query(`drop database ${name}`))),
      }
    },
    async stop() {
      await postgres.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

export async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

export function urlFor(
  superUrl: string,
  { name, password }: { name: string; password: string },
  database: string,
): string {
  const url = new URL(superUrl)
  Object.assign(url, { username: name, password, pathname: `/${database}` })
  return url.href
}
