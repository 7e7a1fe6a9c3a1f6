import { appendFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readCatalog } from '../../src/db/migrate/catalog.ts'
import { readCatalogFile, writeCatalogFile } from '../../src/db/migrate/catalog-file.ts'
import { checkDatabase } from '../../src/db/migrate/check.ts'
import { revisionLabel } from '../../src/db/migrate/read-migrations.ts'
import { migrateUp } from '../../src/db/migrate/up.ts'
import { CODE_REVISION } from '../../src/db/schema-revision.ts'
import { withConnection } from '../support/postgres.ts'
import { aDatabase, CURRENT, later, migrationsWith, tableMigration } from './migrate-folder.ts'

describe('the catalogue', () => {
  // Regenerate it after a change of a migration: npm start (or any fresh database in DATABASE_URL), then
  // npm run migrate -- up && npm run migrate -- catalog
  test('of the newest revision is what a fresh database has', async () => {
    const { ownerUrl } = await aDatabase()
    expect(await withConnection(ownerUrl, readCatalog)).toEqual(await readCatalogFile(CODE_REVISION))
  })

  test('reads the same for the app, which has fewer rights', async () => {
    const { appUrl } = await aDatabase()
    expect(await withConnection(appUrl, readCatalog)).toEqual(await readCatalogFile(CODE_REVISION))
  })

  test('is written only from a database with exactly the migrations in the files', async () => {
    const dir = await migrationsWith(tableMigration(later('two'), 'two'))
    const { ownerUrl } = await aDatabase()
    await expect(writeCatalogFile(ownerUrl, { dir })).rejects.toMatchObject({ code: 'database_not_current' })
    await migrateUp(ownerUrl, { dir })
    const catalog = `${revisionLabel(CURRENT.revision + 1)}.catalog.txt`
    expect((await checkDatabase(ownerUrl, { dir })).drift).toEqual([expect.stringContaining(`- file ${catalog}`)])
    await writeCatalogFile(ownerUrl, { dir })
    expect((await checkDatabase(ownerUrl, { dir })).drift).toEqual([])
  })
})

describe('check', () => {
  test('finds nothing in a migrated database', async () => {
    const { ownerUrl } = await aDatabase()
    expect(await checkDatabase(ownerUrl)).toEqual({ ...CURRENT, drift: [] })
  })

  test('names a file that changed after it was applied, and up says it as well', async () => {
    const dir = await migrationsWith({})
    const { ownerUrl } = await aDatabase()
    await appendFile(join(dir, '0001_missions.up.sql'), '-- afterthought\n')
    const { drift } = await checkDatabase(ownerUrl, { dir })
    expect(drift).toHaveLength(2)
    expect(drift).toContainEqual(expect.stringMatching(/^- migration 0001_missions sha256 [0-9a-f]{64}$/))
    expect(drift).toContainEqual(expect.stringMatching(/^\+ migration 0001_missions sha256 [0-9a-f]{64}$/))
    const lines: string[] = []
    await migrateUp(ownerUrl, { dir, log: (line) => lines.push(line) })
    expect(lines).toEqual([expect.stringContaining('0001_missions.up.sql was changed after it was applied')])
  })

  test('takes line ends of Windows for the same file', async () => {
    const { ownerUrl } = await aDatabase({ migrated: false })
    const files = tableMigration(later('two'), 'two')
    await migrateUp(ownerUrl, { dir: await migrationsWith(files) })
    const windows = Object.entries(files).map(([name, text]) => [name, text.replaceAll('\n', '\r\n')])
    const { drift } = await checkDatabase(ownerUrl, { dir: await migrationsWith(Object.fromEntries(windows)) })
    expect(drift.filter((line) => line.includes('migration'))).toEqual([])
  })

  test('names what is pending and what only other code knows', async () => {
    const { ownerUrl } = await aDatabase()
    const dir = await migrationsWith(tableMigration(later('two'), 'two'))
    expect((await checkDatabase(ownerUrl, { dir })).drift).toEqual([
      expect.stringContaining(`- migration ${later('two')} `),
    ])
    await migrateUp(ownerUrl, { dir })
    expect((await checkDatabase(ownerUrl)).drift).toEqual([expect.stringContaining(`+ migration ${later('two')} `)])
  })

  test.each([
    ['alter table taskforce.missions add column mood text', ['+ column missions.mood text']],
    [
      'alter table taskforce.missions alter column priority set default 5',
      [
        '- column missions.priority smallint not null default 0',
        '+ column missions.priority smallint not null default 5',
      ],
    ],
    [
      'alter table taskforce.missions drop constraint missions_tenant_id_fkey',
      ['- constraint missions.missions_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES taskforce.tenants(id)'],
    ],
    [
      'alter table taskforce.events disable row level security',
      ['+ table events owner taskforce_owner forced', '- table events owner taskforce_owner row security forced'],
    ],
    ['grant delete on taskforce.events to taskforce_api', ['+ grant DELETE on events to taskforce_api']],
    ['grant select on taskforce.events to public', ['+ grant SELECT on events to public']],
    [
      'grant update (goal) on taskforce.missions to taskforce_backup',
      ['+ grant UPDATE on missions.goal to taskforce_backup'],
    ],
    [
      'create policy open on taskforce.tenants for update to public using (true)',
      ['+ policy tenants.open permissive for update to public using true'],
    ],
    [
      'drop index taskforce.missions_owner; create index other on taskforce.missions (owner)',
      [
        '+ CREATE INDEX other ON taskforce.missions USING btree (owner)',
        '- CREATE INDEX missions_owner ON taskforce.missions USING btree (owner) WHERE (owner IS NOT NULL)',
      ],
    ],
    [
      `create function taskforce.f() returns trigger language plpgsql as 'begin return new; end';
       create trigger t before insert on taskforce.facts for each row execute function taskforce.f()`,
      [
        expect.stringMatching(/^\+ function taskforce\.f\(\) returns trigger md5 /),
        '+ CREATE TRIGGER t BEFORE INSERT ON taskforce.facts FOR EACH ROW EXECUTE FUNCTION taskforce.f()',
      ],
    ],
  ])('names what was changed by hand: %s', async (statement, drift) => {
    const { ownerUrl } = await aDatabase()
    await withConnection(ownerUrl, (client) => client.query(`set role taskforce_owner; ${statement}`))
    const found = (await checkDatabase(ownerUrl)).drift
    expect(found).toHaveLength(drift.length)
    expect(found).toEqual(expect.arrayContaining(drift))
  })
})
