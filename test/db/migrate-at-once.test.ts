import type { Client } from 'pg'
import { describe, expect, test } from 'vitest'
import { migrateDown } from '../../src/db/migrate/down.ts'
import { readHistory } from '../../src/db/migrate/status.ts'
import { migrateUp } from '../../src/db/migrate/up.ts'
import { withConnection } from '../support/postgres.ts'
import { aDatabase, CURRENT, later, migrationsWith, tableMigration } from './migrate-folder.ts'

const INDEX = {
  [`${later('index')}.up.sql`]:
    '-- minCode: 1\n-- no-transaction\ncreate index concurrently i on taskforce.events (type); -- a; b\ncreate index concurrently j on taskforce.events (at);\n',
  [`${later('index')}.down.sql`]:
    '-- no-transaction\ndrop index concurrently taskforce.i;\ndrop index concurrently taskforce.j;\n',
}

async function waitsForLock(client: Client, database: string): Promise<boolean> {
  const { rows } = await client.query(
    `select from pg_stat_activity
     where datname = $1 and application_name = 'taskforce-migrate' and wait_event_type = 'Lock'`,
    [database],
  )
  return rows.length > 0
}

describe('several migrates at once', () => {
  test('twenty start on an empty database, and each migration is applied by exactly one', async () => {
    const dir = await migrationsWith({
      ...tableMigration(later('two'), 'two'),
      ...tableMigration(later('three', 2), 'three'),
    })
    const { ownerUrl } = await aDatabase({ migrated: false })
    const reports = await Promise.all(Array.from({ length: 20 }, () => migrateUp(ownerUrl, { dir })))
    expect(new Set(reports.map(({ revision, pending }) => `${revision} ${pending.length}`))).toEqual(
      new Set([`${CURRENT.revision + 2} 0`]),
    )
    expect(reports.flatMap(({ done }) => done).sort()).toEqual([...CURRENT.applied, later('two'), later('three', 2)])
  })

  test('eight build an index concurrently without waiting for each other for ever', async () => {
    const dir = await migrationsWith(INDEX)
    const { ownerUrl } = await aDatabase()
    const reports = await Promise.all(Array.from({ length: 8 }, () => migrateUp(ownerUrl, { dir })))
    expect(reports.flatMap(({ done }) => done)).toEqual([later('index')])
    const report = await migrateDown(ownerUrl, { dir, goal: { steps: 1 } })
    expect(report).toMatchObject({ revision: CURRENT.revision, done: [later('index')] })
  })

  test('a runner that does not know the lock is noticed by its bookkeeping row', async () => {
    const dir = await migrationsWith(tableMigration(later('two'), 'two'))
    const { ownerUrl, name } = await aDatabase()
    await withConnection(ownerUrl, async (other) => {
      await other.query('begin')
      await other.query(`insert into taskforce.migrations values ($1, 'two', 'x', 1)`, [CURRENT.revision + 1])
      await other.query('create table taskforce.two ()')
      const running = migrateUp(ownerUrl, { dir, lockTimeoutMs: 20_000 })
      await expect
        .poll(() => withConnection(ownerUrl, (client) => waitsForLock(client, name)), { timeout: 10_000 })
        .toBe(true)
      await other.query('commit')
      expect(await running).toMatchObject({ revision: CURRENT.revision + 1, done: [] })
    })
  })
})

describe('a lock that another session holds', () => {
  test('is waited for no longer than the timeout, and its holder is named', async () => {
    const dir = await migrationsWith({
      [`${later('labels')}.up.sql`]: '-- minCode: 1\nalter table taskforce.missions add column more text;\n',
      [`${later('labels')}.down.sql`]: 'alter table taskforce.missions drop column more;\n',
    })
    const { ownerUrl } = await aDatabase()
    await withConnection(ownerUrl, async (holder) => {
      await holder.query(`set application_name = 'a long report'; begin; select from taskforce.missions`)
      const { rows } = await holder.query<{ pid: number }>('select pg_backend_pid() as pid')
      const error = await migrateUp(ownerUrl, { dir, lockTimeoutMs: 1500 }).catch((failure: unknown) => failure)
      expect(error).toMatchObject({
        code: 'migration_locked',
        message: expect.stringContaining(`session ${rows[0]?.pid} (user taskforce, a long report, idle in transaction`),
        hint: expect.stringContaining(`select pg_terminate_backend(${rows[0]?.pid})`),
      })
      expect(await readHistory(ownerUrl, { dir })).toMatchObject({ revision: CURRENT.revision })
    })
    expect((await migrateUp(ownerUrl, { dir })).revision).toBe(CURRENT.revision + 1)
  })
})

describe('a migration outside a transaction', () => {
  test('keeps what was done before a failure, says so, and is not recorded', async () => {
    const dir = await migrationsWith({
      ...INDEX,
      [`${later('index')}.up.sql`]:
        '-- minCode: 1\n-- no-transaction\ncreate index concurrently i on taskforce.events (type);\nselect nonsense;\n',
    })
    const { ownerUrl } = await aDatabase()
    await expect(migrateUp(ownerUrl, { dir })).rejects.toMatchObject({
      code: 'migration_failed',
      message: expect.stringContaining('1 of its 2 statements are done and stay'),
    })
    expect(await readHistory(ownerUrl, { dir })).toMatchObject({ revision: CURRENT.revision })
    await withConnection(ownerUrl, async (client) => {
      const { rows } = await client.query(
        `select tableowner from pg_indexes join pg_tables using (schemaname, tablename) where indexname = 'i'`,
      )
      expect(rows).toEqual([{ tableowner: 'taskforce_owner' }])
    })
  })
})
