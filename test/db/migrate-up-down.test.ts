import { describe, expect, test } from 'vitest'
import { migrateDown } from '../../src/db/migrate/down.ts'
import { readHistory } from '../../src/db/migrate/status.ts'
import { migrateUp } from '../../src/db/migrate/up.ts'
import { readSchemaRevision } from '../../src/db/schema-revision.ts'
import { withConnection } from '../support/postgres.ts'
import { aDatabase, CURRENT, later, migrationsWith, tableMigration } from './migrate-folder.ts'

const CREATE_MISSION = `
insert into taskforce.profiles (tenant_id, hash, name, body) select id, 'h', 'dev', '{}' from taskforce.tenants;
insert into taskforce.missions (id, tenant_id, status, goal, profile, profile_hash)
select gen_random_uuid(), id, 'queued', 'Say hello', 'dev', 'h' from taskforce.tenants`

async function query<T extends object>(url: string, text: string): Promise<T[]> {
  return withConnection(url, async (client) => (await client.query<T>(text)).rows)
}

function tablesOf(url: string): Promise<{ name: string; owner: string }[]> {
  return query(
    url,
    `select tablename as name, tableowner as owner from pg_tables where schemaname = 'taskforce' order by tablename`,
  )
}

describe('up and down', () => {
  test('an empty database goes up, down and up again, and a second up does nothing', async () => {
    const { ownerUrl } = await aDatabase({ migrated: false })
    expect(await migrateUp(ownerUrl)).toEqual({ ...CURRENT, done: CURRENT.applied })
    expect(await migrateUp(ownerUrl)).toEqual({ ...CURRENT, done: [] })
    expect(await migrateDown(ownerUrl, { goal: { steps: CURRENT.applied.length } })).toEqual({
      revision: 0,
      minCode: 0,
      applied: [],
      pending: CURRENT.applied,
      done: CURRENT.applied.toReversed(),
    })
    expect((await tablesOf(ownerUrl)).map(({ name }) => name)).toEqual(['migrations'])
    expect(await migrateUp(ownerUrl)).toEqual({ ...CURRENT, done: CURRENT.applied })
  })

  test('every table belongs to taskforce_owner and not to the login that migrated', async () => {
    const { ownerUrl } = await aDatabase({ migrated: false })
    await migrateUp(ownerUrl)
    const tables = await tablesOf(ownerUrl)
    expect(tables.map(({ name }) => name)).toContain('missions')
    expect(new Set(tables.map(({ owner }) => owner))).toEqual(new Set(['taskforce_owner']))
  })

  test('up stops at a revision, down ends at one, and neither goes to one that is not there', async () => {
    const dir = await migrationsWith({
      ...tableMigration(later('two'), 'two'),
      ...tableMigration(later('three', 2), 'three'),
    })
    const { ownerUrl } = await aDatabase({ migrated: false })
    expect((await migrateUp(ownerUrl, { dir, to: CURRENT.revision + 1 })).pending).toEqual([later('three', 2)])
    expect((await migrateUp(ownerUrl, { dir })).done).toEqual([later('three', 2)])
    const report = await migrateDown(ownerUrl, { dir, goal: { revision: CURRENT.revision } })
    expect(report.done).toEqual([later('three', 2), later('two')])
    await expect(migrateUp(ownerUrl, { dir, to: CURRENT.revision + 3 })).rejects.toMatchObject({
      code: 'unknown_revision',
    })
    await expect(migrateDown(ownerUrl, { dir, goal: { revision: CURRENT.revision + 1 } })).rejects.toMatchObject({
      code: 'unknown_revision',
    })
  })

  test('the history has the times of what was applied and null for what is pending', async () => {
    const dir = await migrationsWith(tableMigration(later('two'), 'two'))
    const { ownerUrl } = await aDatabase()
    const { history } = await readHistory(ownerUrl, { dir })
    expect(history).toMatchObject([
      ...CURRENT.applied.map(() => ({ appliedAt: expect.stringMatching(/T.*Z$/) as string })),
      { name: 'two', appliedAt: null },
    ])
  })

  test('down is refused while a mission exists, and takes its data when told so', async () => {
    const { ownerUrl } = await aDatabase()
    await query(ownerUrl, CREATE_MISSION)
    const refusal = await migrateDown(ownerUrl, { goal: { steps: 1 } }).catch((error: unknown) => error)
    expect(refusal).toMatchObject({ code: 'would_lose_data', hint: expect.stringContaining('--yes') })
    expect(await query(ownerUrl, 'select from taskforce.missions')).toHaveLength(1)
    expect((await migrateDown(ownerUrl, { goal: { revision: 0 }, yes: true })).revision).toBe(0)
  })

  test('a migration that fails leaves nothing behind, names its line, and those before it stay', async () => {
    const dir = await migrationsWith({
      ...tableMigration(later('two'), 'two'),
      [`${later('bad', 2)}.up.sql`]: '-- minCode: 1\ncreate table taskforce.three ();\nselect nonsense;\n',
      [`${later('bad', 2)}.down.sql`]: 'drop table taskforce.three;\n',
    })
    const { ownerUrl } = await aDatabase()
    await expect(migrateUp(ownerUrl, { dir })).rejects.toMatchObject({
      code: 'migration_failed',
      message: expect.stringMatching(/_bad\.up\.sql failed at line 3: .*nonsense.* \[42703\]\. Nothing was changed/),
    })
    expect(await readHistory(ownerUrl, { dir })).toMatchObject({
      revision: CURRENT.revision + 1,
      pending: [later('bad', 2)],
    })
    expect((await tablesOf(ownerUrl)).map(({ name }) => name)).not.toContain('three')
  })

  test('a migration that comes before an applied one is refused', async () => {
    const late = await migrationsWith(tableMigration(later('three', 2), 'three'))
    const { ownerUrl } = await aDatabase()
    await migrateUp(ownerUrl, { dir: late })
    const dir = await migrationsWith({
      ...tableMigration(later('two'), 'two'),
      ...tableMigration(later('three', 2), 'three'),
    })
    await expect(migrateUp(ownerUrl, { dir })).rejects.toMatchObject({ code: 'migration_out_of_order' })
  })

  test('the schema tells its revision and minCode to the app and to nobody before it is there', async () => {
    const database = await aDatabase({ migrated: false })
    expect(await withConnection(database.appUrl, readSchemaRevision)).toBeUndefined()
    const dir = await migrationsWith({
      [`${later('two')}.up.sql`]: `-- minCode: ${CURRENT.revision + 1}\nselect 1;\n`,
      [`${later('two')}.down.sql`]: 'select 1;\n',
      [`${later('three', 2)}.up.sql`]: '-- minCode: 1\nselect 1;\n',
      [`${later('three', 2)}.down.sql`]: 'select 1;\n',
    })
    await migrateUp(database.ownerUrl, { dir, to: CURRENT.revision })
    expect(await withConnection(database.appUrl, readSchemaRevision)).toEqual({
      revision: CURRENT.revision,
      minCode: CURRENT.minCode,
    })
    await migrateUp(database.ownerUrl, { dir })
    expect(await withConnection(database.appUrl, readSchemaRevision)).toEqual({
      revision: CURRENT.revision + 2,
      minCode: CURRENT.revision + 1,
    })
    await migrateDown(database.ownerUrl, { dir, goal: { revision: 0 } })
    expect(await withConnection(database.appUrl, readSchemaRevision)).toEqual({ revision: 0, minCode: 0 })
  })
})
