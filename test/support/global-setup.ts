import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client, escapeIdentifier } from 'pg'
import type { TestProject } from 'vitest/node'
import { migrateUp } from '../../src/db/migrate/up.ts'
import { createLogins } from '../../src/db/roles.ts'
import { startPostgres } from '../../src/local/postgres/start-postgres.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** A superuser, for making and dropping databases only: row-level security does not hold for it. */
    databaseSuperUrl: string
    /** A migrated database that nobody connects to, so that it can be cloned. */
    databaseTemplate: string
  }
}

/** The same in every run, since runs may share a server; the servers are on 127.0.0.1 and hold nothing of worth. */
export const OWNER = { name: 'taskforce', password: 'taskforce' }
export const APP = { name: 'taskforce_app', password: 'taskforce' }

/**
 * One real Postgres for the whole run, with the logins and a migrated template. `TEST_DATABASE_SUPER_URL` names a server
 * that is there instead, of another version for example; the logins `taskforce` and `taskforce_app` get new passwords there.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await findServer()
  const template = `taskforce_template_${randomBytes(4).toString('hex')}`
  try {
    await withSuper(server.superUrl, (client) => createLogins(client, { owner: OWNER, app: APP, database: template }))
    await migrateUp(urlFor(server.superUrl, OWNER, template))
  } catch (error) {
    await server.stop()
    throw error
  }
  project.provide('databaseSuperUrl', server.superUrl)
  project.provide('databaseTemplate', template)
  return async () => {
    try {
      await withSuper(server.superUrl, (client) => client.query(`drop database ${escapeIdentifier(template)}`))
    } finally {
      await server.stop()
    }
  }
}

/** The same server with another login and database. */
export function urlFor(superUrl: string, { name, password }: { name: string; password: string }, database: string) {
  const url = new URL(superUrl)
  url.username = name
  url.password = password
  url.pathname = `/${database}`
  return url.href
}

/** Runs `work` as the superuser, in the database that `superUrl` names. */
export async function withSuper<T>(superUrl: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: superUrl })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

async function findServer(): Promise<{ superUrl: string; stop: () => Promise<void> }> {
  const given = process.env.TEST_DATABASE_SUPER_URL
  if (given) return { superUrl: given, stop: async () => undefined }
  const folder = await mkdtemp(join(tmpdir(), 'taskforce-test-'))
  const postgres = await startPostgres({ dataDir: join(folder, 'postgres'), durable: false })
  return {
    superUrl: postgres.superUrl,
    stop: async () => {
      await postgres.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
