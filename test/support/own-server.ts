import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { migrateUp } from '../../src/db/migrate/up.ts'
import { createLogins } from '../../src/db/roles.ts'
import { startPostgres, type LocalPostgres } from '../../src/local/postgres/start-postgres.ts'
import { APP, OWNER, urlFor, withSuper } from './global-setup.ts'
import type { TestDatabase } from './postgres.ts'

/** A Postgres of one test file's own, since what is done to it would hurt every other test. */
export interface OwnServer {
  superUrl: string
  createDatabase(): Promise<TestDatabase>
  /** Immediate shutdown: no session ends properly, and the next start, after some time, recovers from the log. Back on the same port. */
  crashAndStart(awayMs?: number): Promise<void>
  stop(): Promise<void>
}

export async function startOwnServer(settings: Record<string, string> = {}): Promise<OwnServer> {
  const folder = await mkdtemp(join(tmpdir(), 'taskforce-own-'))
  // What was committed must outlive a crash of the server here; a crash of the machine need not be outlived.
  const kept = { synchronous_commit: 'on', ...settings }
  const options = { dataDir: join(folder, 'postgres'), durable: false, settings: kept }
  let postgres: LocalPostgres = await startPostgres(options)
  const { superUrl, port } = postgres
  await withSuper(superUrl, (client) => createLogins(client, { owner: OWNER, app: APP, database: 'template_own' }))
  await migrateUp(urlFor(superUrl, OWNER, 'template_own'))
  return {
    superUrl,
    createDatabase: () => createDatabase(superUrl),
    async crashAndStart(awayMs = 0) {
      process.kill(postgres.pid, 'SIGQUIT')
      await postgres.exited
      await new Promise((resolve) => setTimeout(resolve, awayMs))
      postgres = await startPostgres({ ...options, port })
    },
    async stop() {
      await postgres.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function createDatabase(superUrl: string): Promise<TestDatabase> {
  const name = `own_${randomBytes(4).toString('hex')}`
  await withSuper(superUrl, (client) =>
    client.query(`create database ${name} template template_own owner ${OWNER.name}`),
  )
  return {
    name,
    appUrl: urlFor(superUrl, APP, name),
    ownerUrl: urlFor(superUrl, OWNER, name),
    drop: () => withSuper(superUrl, async (client) => void (await client.query(`drop database ${name} with (force)`))),
  }
}
