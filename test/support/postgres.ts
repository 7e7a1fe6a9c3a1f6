import { randomBytes } from 'node:crypto'
import { Client, escapeIdentifier } from 'pg'
import { inject } from 'vitest'
import { APP, OWNER, urlFor, withSuper } from './global-setup.ts'

export interface TestDatabase {
  name: string
  /** What the functions connect as. */
  appUrl: string
  /** What migrates. */
  ownerUrl: string
  /** Throws where the test left connections open. */
  drop(): Promise<void>
}

/** SQLSTATE of "database is being accessed by other users"; Postgres says it after waiting 5 s for them to go. */
const IN_USE = '55006'

/** A database of the test's own: a clone of the migrated template, or an empty one. `drop` it when done. */
export async function createTestDatabase({ migrated = true } = {}): Promise<TestDatabase> {
  const superUrl = inject('databaseSuperUrl')
  const name = `taskforce_test_${randomBytes(6).toString('hex')}`
  const template = migrated ? inject('databaseTemplate') : 'template1'
  await withSuper(superUrl, (client) =>
    client.query(`create database ${name} template ${escapeIdentifier(template)} owner ${OWNER.name}`),
  )
  return {
    name,
    appUrl: urlFor(superUrl, APP, name),
    ownerUrl: urlFor(superUrl, OWNER, name),
    drop: () => withSuper(superUrl, (client) => dropDatabase(client, name)),
  }
}

/** Runs `work` with one connection and closes it. */
export async function withConnection<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

async function dropDatabase(client: Client, name: string): Promise<void> {
  try {
    await client.query(`drop database ${name}`)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === IN_USE)) throw error
    const { rows } = await client.query<{ who: string }>(
      `select format('%s as %s: %s', application_name, usename, query) as who from pg_stat_activity where datname = $1`,
      [name],
    )
    await client.query(`drop database ${name} with (force)`)
    const left = rows.map((row) => row.who).join('\n')
    throw new Error(`the test left ${rows.length} connections to its database open:\n${left}`, { cause: error })
  }
}
