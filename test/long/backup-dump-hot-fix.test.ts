import { access } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import { readPlain } from '../../src/backup/plain/read-plain.ts'
import { verifyPlain } from '../../src/backup/plain/verify-plain.ts'
import { createTestDatabase, withConnection, type TestDatabase } from '../support/postgres.ts'
import { dumpToMemory, inEmptyDatabase, restoreWithPsql, type Dumped } from '../support/plain-backup.ts'
import { insertMissions } from '../backup/missions-rows.ts'

const READABLE = 'grant select on all tables in schema taskforce to taskforce_backup;'

describe('a dump of a schema that was changed by hand', () => {
  let database: TestDatabase

  beforeEach(async () => {
    database = await createTestDatabase()
  })
  afterEach(() => database.drop())

  it('takes the rows all the same, says what differs, and is restored by psql', async () => {
    await insertMissions(database.ownerUrl, 3)
    await change(`
      create type taskforce.mood as enum ('fine');
      alter table taskforce.missions add column hot text, add column "two words" numeric(9,2)[], add column mood taskforce.mood;
      update taskforce.missions set hot = 'fix', "two words" = '{1.50,null}', mood = 'fine';
      create table taskforce.hot_fix (id integer generated always as identity primary key, note varchar(20), twice integer generated always as (2) stored);
      insert into taskforce.hot_fix (note) values ('one'), (null);
      create sequence taskforce.free as smallint; select nextval('taskforce.free'), nextval('taskforce.free');
      ${READABLE} grant select on all sequences in schema taskforce to taskforce_backup`)
    const { contents, plain } = await dumpToMemory(database.appUrl)
    expect(contents.drift).toEqual(
      expect.arrayContaining([
        '+ column missions.hot text',
        expect.stringContaining('+ table hot_fix owner taskforce'),
        expect.stringContaining('+ sequence free owner taskforce'),
      ]),
    )
    await restored({ contents, plain }, async (url) => {
      const rows = await query(url, 'select hot, "two words"::text as two, mood::text from taskforce.missions limit 1')
      expect(rows).toEqual([{ hot: 'fix', two: '{1.50,NULL}', mood: 'fine' }])
      expect(await query(url, 'select id, note from taskforce.hot_fix')).toEqual([
        { id: 1, note: 'one' },
        { id: 2, note: null },
      ])
      expect(await query(url, `select nextval('taskforce.free')::text as next`)).toEqual([{ next: '3' }])
    })
  })

  it('lets no name out of its quotes', async () => {
    const witness = join(tmpdir(), `injected-${database.name}`)
    const evil = `x\n\\! touch ${witness}\n-- taskforce:section post\n"; drop schema taskforce cascade; --\r\\.`
    const quoted = `"${evil.slice(0, 60).replaceAll('"', '""')}"`
    await change(`
      create table taskforce.${quoted} (id integer, ${quoted} text, "back\\slash" text);
      insert into taskforce.${quoted} values (1, '\\.', 'x');
      create sequence taskforce."seq\n\\! touch ${witness}";
      comment on table taskforce.${quoted} is 'x\n\\! touch ${witness}';
      ${READABLE} grant select on all sequences in schema taskforce to taskforce_backup`)
    const dumped = await dumpToMemory(database.appUrl)
    expect([...dumped.contents.drift, ...dumped.contents.missing].join('')).not.toMatch(/[\n\r]/)
    await restored(dumped, async (url) => {
      const names = await query(url, `select relname from pg_class where relname like 'x%' and relkind = 'r'`)
      expect(names).toEqual([{ relname: evil.slice(0, 60) }])
      expect(await query(url, `select * from taskforce.${quoted}`)).toEqual([
        { id: 1, [evil.slice(0, 60)]: '\\.', 'back\\slash': 'x' },
      ])
    })
    await expect(access(witness)).rejects.toThrow('ENOENT')
  })

  it('says which rows it may not read', async () => {
    await change(`
      create table taskforce.hidden (a integer); create sequence taskforce.unseen;
      create table taskforce.secured (a integer); alter table taskforce.secured enable row level security;
      create unlogged table taskforce.fleeting (a integer)`)
    const dumped = await dumpToMemory(database.appUrl)
    const unread = 'taskforce_backup may not read all of it; as its owner run:'
    const policy =
      'create policy taskforce_backup_reads on taskforce."secured" for select to taskforce_backup using (true);'
    expect(dumped.contents.missing).toEqual([
      `table hidden: ${unread} grant select on taskforce."hidden" to taskforce_backup;`,
      `table secured: ${unread} grant select on taskforce."secured" to taskforce_backup; ${policy}`,
      'table fleeting: rows of an unlogged table are in no backup',
      `sequence unseen: ${unread} grant select on taskforce."unseen" to taskforce_backup;`,
    ])
    expect(dumped.contents.tables.map(({ name }) => name)).not.toContain('hidden')
    await restored(dumped, async () => undefined)
    // The SQL that it says is what lets the next one have it.
    const told = dumped.contents.missing.flatMap((line) => line.split('run: ')[1] ?? [])
    await change(told.join('\n'))
    const next = await dumpToMemory(database.appUrl)
    expect(next.contents.missing).toEqual(['table fleeting: rows of an unlogged table are in no backup'])
    expect(next.contents.tables.map(({ name }) => name)).toEqual(expect.arrayContaining(['hidden', 'secured']))
  })

  it('says of a table of the schema that was set unlogged that its rows are in no backup', async () => {
    await change('alter table taskforce.upkeep set unlogged')
    const { missing } = (await dumpToMemory(database.appUrl)).contents
    expect(missing).toEqual(['table upkeep: rows of an unlogged table are in no backup'])
  })

  it('says which data no backup has', async () => {
    await change(`
      create materialized view taskforce.counted as select count(*) from taskforce.missions;
      create table taskforce.parts (a integer) partition by range (a);
      create table taskforce.part partition of taskforce.parts for values from (1) to (2);
      create table public.elsewhere partition of taskforce.parts for values from (2) to (3);
      select lo_from_bytea(0, '\\x00');
      insert into taskforce.parts values (1), (2); ${READABLE}`)
    const dumped = await dumpToMemory(database.appUrl)
    expect(dumped.contents.missing).toEqual([
      'materialized view counted: what it holds is in no backup',
      'table public.elsewhere, a part of parts, is in another schema: its rows are in no backup',
      '1 large objects: they are in no backup',
    ])
    expect(dumped.contents.tables.find(({ name }) => name === 'part')).toMatchObject({ rows: 1 })
    expect(dumped.contents.tables.find(({ name }) => name === 'parts')).toBeUndefined()
    await restored(dumped, async () => undefined)
  })

  it('is taken of a newer schema than the code knows', async () => {
    await change(
      `insert into taskforce.migrations (revision, name, checksum, min_code) values (4, 'later', '${'0'.repeat(64)}', 1)`,
    )
    const dumped = await dumpToMemory(database.appUrl)
    expect(dumped.contents).toMatchObject({ revision: 4, drift: ['+ revision 0004: this code has no sections of it'] })
    await restored(dumped, async (url) => {
      expect(await query(url, 'select max(revision) as revision from taskforce.migrations')).toEqual([{ revision: 4 }])
    })
  })

  async function change(sql: string): Promise<void> {
    await withConnection(database.ownerUrl, (owner) => owner.query(sql))
  }

  async function restored({ contents, plain }: Dumped, look: (url: string) => Promise<void>): Promise<void> {
    await verifyPlain(whole(plain), contents)
    const seen: string[] = []
    for await (const part of readPlain(whole(plain))) {
      if (part.kind === 'sql') seen.push(part.section)
      else for await (const chunk of part.rows) expect(chunk.length).toBeGreaterThan(0)
    }
    expect(seen.filter((section) => section === 'post')).toHaveLength(1)
    await inEmptyDatabase(inject('databaseSuperUrl'), async (url) => {
      await restoreWithPsql(url, plain)
      await look(url)
    })
  }
})

async function query(url: string, sql: string): Promise<unknown[]> {
  return withConnection(url, async (client) => (await client.query(sql)).rows as unknown[])
}

async function* whole(plain: Buffer): AsyncGenerator<Buffer> {
  yield plain
}
