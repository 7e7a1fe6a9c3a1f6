import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Client, Pool } from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createDatabases } from '../../src/db/connection.ts'
import { checkDatabase } from '../../src/db/migrate/check.ts'
import { migrateUp } from '../../src/db/migrate/up.ts'
import { createLogins } from '../../src/db/roles.ts'
import { type LocalPostgres, startPostgres } from '../../src/local/postgres/start-postgres.ts'
import { urlFor, withSuper } from '../support/global-setup.ts'
import { withConnection } from '../support/postgres.ts'
import { CURRENT } from './migrate-folder.ts'

const LOGIN = { name: 'Some Body', password: "it's 100% secret" }
const ROLES = ['taskforce_owner', 'taskforce_api', 'taskforce_engine', 'taskforce_backup', 'taskforce_retention']

/** Roles belong to a whole server, so these tests have one of their own. */
let folder = ''
let server: LocalPostgres
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'taskforce-bootstrap-'))
  server = await startPostgres({ dataDir: join(folder, 'postgres'), durable: false })
})
afterAll(async () => {
  await server.stop()
  await rm(folder, { recursive: true, force: true })
})
beforeEach(() =>
  asSuper(async (client) => {
    await client.query('drop database if exists one')
    await client.query('drop database if exists two')
    const made = [...ROLES, 'app', LOGIN.name].map((name) => `drop role if exists "${name}"`)
    await client.query(made.join(';'))
  }),
)

function asSuper<T>(work: (client: Client) => Promise<T>): Promise<T> {
  return withSuper(server.superUrl, work)
}

async function ownerOf(attribute: string, ...databases: string[]): Promise<void> {
  await asSuper(async (client) => {
    await client.query(`create role "${LOGIN.name}" login ${attribute} password 'it''s 100% secret'`)
    for (const database of databases) await client.query(`create database ${database} owner "${LOGIN.name}"`)
  })
}

function loginUrl(database: string): string {
  return urlFor(server.superUrl, LOGIN, database)
}

describe('a fresh server', () => {
  test('is prepared by a login that may create roles, and its backup role reads all and writes nothing', async () => {
    await ownerOf('createrole', 'one')
    await migrateUp(loginUrl('one'))
    expect((await checkDatabase(loginUrl('one'))).drift).toEqual([])
    await withConnection(loginUrl('one'), async (client) => {
      await client.query('grant taskforce_backup to current_user')
      await client.query('set role taskforce_backup')
      expect((await client.query('select name from taskforce.tenants')).rows).toEqual([{ name: 'default' }])
      await expect(client.query('delete from taskforce.tenants')).rejects.toMatchObject({ code: '42501' })
    })
  })

  test('is prepared by a superuser', async () => {
    await asSuper((client) => client.query('create database one'))
    const url = new URL(server.superUrl)
    url.pathname = '/one'
    expect((await migrateUp(url.href)).revision).toBe(CURRENT.revision)
    expect((await checkDatabase(url.href)).drift).toEqual([])
  })

  test('is prepared by ten at once in each of two databases, which share the roles', async () => {
    await ownerOf('createrole', 'one', 'two')
    const runs = Array.from({ length: 20 }, (_, n) => migrateUp(loginUrl(n % 2 === 0 ? 'one' : 'two')))
    const reports = await Promise.all(runs)
    const done = reports.flatMap((report) => report.done)
    expect(done.sort()).toEqual([...CURRENT.applied, ...CURRENT.applied].sort())
  })

  test('needs an administrator where the login may not create roles, and the SQL in the message is enough', async () => {
    await ownerOf('nocreaterole', 'one')
    const error = await migrateUp(loginUrl('one')).catch((failure: unknown) => failure as Error)
    expect(error).toMatchObject({
      code: 'migrate_not_allowed',
      message: expect.stringContaining('create role taskforce_owner'),
    })
    const sql = /try again: (.*)$/.exec((error as Error).message)?.[1] ?? ''
    await asSuper((client) => client.query(sql))
    expect((await migrateUp(loginUrl('one'))).revision).toBe(CURRENT.revision)
  })

  test('is refused where row-level security would not hold for one of the roles', async () => {
    await asSuper((client) => client.query('create role taskforce_api nologin bypassrls'))
    await ownerOf('createrole', 'one')
    await expect(migrateUp(loginUrl('one'))).rejects.toMatchObject({
      code: 'role_above_row_security',
      message: expect.stringContaining('alter role taskforce_api nosuperuser nobypassrls'),
    })
  })

  test("is refused where the schema's name belongs to somebody else", async () => {
    await ownerOf('createrole', 'one')
    await withConnection(loginUrl('one'), (client) => client.query('create schema taskforce'))
    await expect(migrateUp(loginUrl('one'))).rejects.toMatchObject({
      code: 'migrate_not_allowed',
      message: expect.stringContaining('belongs to Some Body'),
    })
  })
})

test('logins are made as often as one likes, and the last password counts', async () => {
  const app = { name: 'app', password: 'x' }
  for (const password of ['first', LOGIN.password]) {
    const owner = { name: LOGIN.name, password }
    await asSuper((client) => createLogins(client, { owner, app, database: 'one' }))
  }
  expect((await migrateUp(loginUrl('one'))).revision).toBe(CURRENT.revision)
  const wrong = urlFor(server.superUrl, { ...LOGIN, password: 'first' }, 'one')
  await expect(migrateUp(wrong)).rejects.toMatchObject({ code: 'database_refused' })
})

test("the app's login has limits of its own, for poolers that take none from the app, and the owner's has none", async () => {
  const app = { name: 'app', password: 'x' }
  await asSuper((client) => createLogins(client, { owner: LOGIN, app, database: 'one' }))
  const limits = async (client: Pool | Client) => {
    const { rows } = await client.query<Record<string, string>>(
      `select current_setting('lock_timeout') as lock, current_setting('statement_timeout') as statement,
         current_setting('idle_in_transaction_session_timeout') as idle`,
    )
    return rows[0]
  }
  const url = urlFor(server.superUrl, app, 'one')
  expect(await withConnection(url, limits)).toEqual({ lock: '5s', statement: '30s', idle: '15s' })
  expect(await withConnection(loginUrl('one'), limits)).toEqual({ lock: '0', statement: '0', idle: '0' })

  const databases = createDatabases({ url, pooler: undefined, onError: () => undefined })
  try {
    expect(await limits(databases.engine)).toMatchObject({ lock: '1s' })
    expect(await limits(databases.api)).toMatchObject({ lock: '5s' })
  } finally {
    await databases.close()
  }
})
