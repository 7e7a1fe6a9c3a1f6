import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import type { Manifest } from '../../src/backup/manifest.ts'
import { drill, type DrillReport, type DrillRequest } from '../../src/backup/restore/drill.ts'
import { createLogins } from '../../src/db/roles.ts'
import { branchMission } from '../../src/missions/branch-mission.ts'
import { manifestFor, takeBackup, type TakenBackup } from '../support/taken-backups.ts'
import { callTools, createWorld, say, script, tool, type World } from '../support/engine.ts'
import { OWNER, urlFor, withSuper } from '../support/global-setup.ts'

let world: World
let backup: TakenBackup
const ids = { first: '', fork: '' }
/** An app's login of this test alone. */
const DRILLER = { name: 'taskforce_app_of_drills', password: 'taskforce' }
const drillerUrl = () => urlFor(inject('databaseSuperUrl'), DRILLER, world.database.name)

beforeAll(async () => {
  world = await createWorld([tool('look', () => 'seen')])
  await withSuper(inject('databaseSuperUrl'), (client) =>
    createLogins(client, { owner: OWNER, app: DRILLER, database: world.database.name }),
  )
  ids.first = await world.create('First', { files: [{ name: 'a.txt', bytes: Buffer.from('contents') }] })
  await world.engine({ model: script(callTools(['look']), say('Done')) }).run()
  const request = { how: 'continue' as const, content: 'And again' }
  ids.fork = (await branchMission(world.missions, world.caller, ids.first, request)).mission.id
  await world.engine().run()
  backup = await takeBackup(world.database.appUrl)
})
afterAll(() => world.stop())

/** Not those of other tests on this server, which drill at the same time. */
const scratches = () =>
  withSuper(inject('databaseSuperUrl'), async (client) => {
    const { rows } = await client.query<{ datname: string }>(
      `select datname from pg_database where datname like 'taskforce_drill_%'
         and (datdba = '${DRILLER.name}'::regrole or datname like '%_123456') order by 1`,
    )
    return rows.map(({ datname }) => datname)
  })

async function drillOf(over: Partial<DrillRequest> = {}): Promise<DrillReport> {
  const before = await scratches()
  const request = { manifest: backup.manifest, chunks: backup.chunks(), adminUrl: drillerUrl(), ...over }
  try {
    return await drill(request)
  } finally {
    expect(await scratches()).toEqual(before)
  }
}

/** Another plain text, and a manifest in which everything fits it but what is changed there too. */
async function drillText(
  change: (plain: string) => string,
  over: Partial<Manifest['contents']> = {},
): Promise<DrillReport> {
  const plain = zstdDecompressSync(backup.stored).toString('latin1')
  const changed = change(plain)
  expect(changed).not.toBe(plain)
  const stored = zstdCompressSync(Buffer.from(changed, 'latin1'), { params: { [constants.ZSTD_c_checksumFlag]: 1 } })
  const manifest = manifestFor({ ...backup.manifest, contents: { ...backup.manifest.contents, ...over } }, stored)
  return drillOf({ manifest, chunks: backup.chunks(stored) })
}

const failedIn = ({ checks }: DrillReport) => checks.filter(({ ok }) => !ok)

/** What a changed database's backup comes to in a drill. */
async function drillAfter(change: string, back: string): Promise<DrillReport> {
  await world.sql(change)
  const { manifest, chunks } = await takeBackup(world.database.appUrl)
  await world.sql(back)
  return drillOf({ manifest, chunks: chunks() })
}

describe('a drill', () => {
  it('restores with the app’s own rights, looks at all there is, and leaves nothing', async () => {
    const report = await drillOf()
    expect(failedIn(report)).toEqual([])
    expect(report).toMatchObject({ name: backup.manifest.name, ok: true, durationMs: expect.any(Number) })
    expect(report.checks.map(({ name }) => name)).toEqual([
      'restore',
      'schema',
      'tenants',
      'tables',
      'gapless',
      'journals',
      'files',
      'sequences',
    ])
  })

  it('of a damaged file fails, and says why', async () => {
    const stored = Buffer.from(backup.stored)
    stored[stored.length >> 1] = (stored[stored.length >> 1] ?? 0) ^ 1
    const report = await drillOf({ chunks: backup.chunks(stored) })
    expect(report).toMatchObject({
      ok: false,
      checks: [{ name: 'restore', detail: expect.stringContaining('damaged') }],
    })
  })

  it('of a store that fails in the middle fails, and says why', async () => {
    async function* failing() {
      yield backup.stored.subarray(0, 2_000)
      throw new Error('the store is away')
    }
    expect(await drillOf({ chunks: failing() })).toMatchObject({ ok: false, checks: [{ detail: 'the store is away' }] })
  })

  it.each([
    ['an index that is lacking', /CREATE INDEX missions_labels [^;]*;/, 'schema'],
    ['a grant that is lacking', /GRANT SELECT ON TABLE taskforce.facts TO taskforce_api;/, 'schema'],
    [
      'a policy that lets everybody see everything',
      /USING \(\(tenant_id = \(current_setting\('app.tenant'::text\)\)::uuid\)\)/g,
      'tenants',
    ],
  ])('finds %s', async (_, part, check) => {
    const report = await drillText((text) =>
      text.replace(part, (found) => (found.startsWith('USING') ? 'USING (true)' : '')),
    )
    expect(failedIn(report).map(({ name }) => name)).toContain(check)
  })

  it('finds rows that a rule of the schema changed as they came in', async () => {
    const rule = `create function taskforce.shout() returns trigger language plpgsql as 'begin new.goal := upper(new.goal); return new; end';
      create trigger shout before insert on taskforce.missions for each row execute function taskforce.shout();\n`
    const report = await drillText((text) =>
      text.replace('-- taskforce:data {"table":"contents"', `${rule}-- taskforce:data {"table":"contents"`),
    )
    expect(failedIn(report)).toMatchObject([{ name: 'schema' }, { name: 'tables', detail: 'missions has other rows' }])
  })

  it('finds a journal with a gap, and one that can’t be folded', async () => {
    const order = `update taskforce.events set seq = -seq - 100 where mission_id = '${ids.first}' and seq >= 3`
    await world.sql(`alter table taskforce.events drop constraint events_seq_check`)
    const report = await drillAfter(
      `${order}; update taskforce.events set seq = -seq - 99 where seq < 0`,
      `update taskforce.events set seq = -seq - 100 where mission_id = '${ids.first}' and seq > 3; update taskforce.events set seq = -seq - 101 where seq < 0`,
    )
    await world.sql(`alter table taskforce.events add constraint events_seq_check check (seq > 0)`)
    const failed = failedIn(report)
    expect(failed.find(({ name }) => name === 'gapless')?.detail).toContain(ids.first)
    expect(failed.find(({ name }) => name === 'journals')?.detail).toContain(`${ids.fork}: Event 4 follows event 2`)
  })

  it('finds an event of a kind that nobody knows', async () => {
    const at = `mission_id = '${ids.first}' and seq = 4`
    const [{ type } = { type: '' }] = await world.sql<{ type: string }>(`select type from taskforce.events where ${at}`)
    const report = await drillAfter(
      `update taskforce.events set type = 'mission.imagined' where ${at}`,
      `update taskforce.events set type = '${type}' where ${at}`,
    )
    expect(failedIn(report)).toMatchObject([
      { name: 'journals', detail: expect.stringContaining('does not know the type') },
    ])
  })

  it('finds files whose contents are not there', async () => {
    const [{ sha256 } = { sha256: '' }] = await world.sql<{ sha256: string }>('select sha256 from taskforce.contents')
    const report = await drillAfter(
      `update taskforce.contents set sha256 = repeat('0', 64)`,
      `update taskforce.contents set sha256 = '${sha256}'`,
    )
    expect(failedIn(report)).toMatchObject([{ name: 'files', detail: expect.stringContaining(ids.first) }])
  })

  /** The backup with a table whose identity is at a value, as its manifest says or not. */
  const withNotes = (at: number, { told = at } = {}) => {
    const table = `create table taskforce.notes (id bigint generated by default as identity primary key, text text not null unique);
      insert into taskforce.notes (id, text) values (1, 'x'), (2, 'y');\n`
    const value = `SELECT pg_catalog.setval('taskforce.notes_id_seq', ${at}, true);\n`
    return drillText(
      (text) =>
        text
          .replace('-- taskforce:data {"table":"contents"', `${table}-- taskforce:data {"table":"contents"`)
          .replace('-- taskforce:section post', `${value}-- taskforce:section post`),
      { sequences: [{ name: 'notes_id_seq', lastValue: String(told), isCalled: true }] },
    )
  }
  const sequencesOf = async (report: Promise<DrillReport>) =>
    (await report).checks.find(({ name }) => name === 'sequences')

  it('writes through every sequence', async () => {
    expect(await sequencesOf(withNotes(2))).toEqual({ name: 'sequences', ok: true })
    const detail = 'notes_id_seq goes on with 2, and notes has 2 already'
    expect(await sequencesOf(withNotes(1))).toEqual({ name: 'sequences', ok: false, detail })
    const [restored] = (await withNotes(1, { told: 2 })).checks
    expect(restored).toMatchObject({
      name: 'restore',
      ok: false,
      detail: expect.stringContaining('notes_id_seq is at 1'),
    })
  })

  it('of a backup with a table that nobody’s migration made says so, and looks at all its rows', async () => {
    await world.sql(`
      create table taskforce.notes (id bigint generated by default as identity primary key, text text not null);
      insert into taskforce.notes (text) values ('x'), ('y');
      grant select on taskforce.notes, taskforce.notes_id_seq to taskforce_backup`)
    const { manifest, chunks } = await takeBackup(world.database.appUrl)
    await world.sql('drop table taskforce.notes')
    const report = await drillOf({ manifest, chunks: chunks() })
    expect(failedIn(report)).toMatchObject([{ name: 'schema', detail: expect.stringContaining('differed already') }])
  })

  it('drops what a drill left that was killed more than a day ago, and nothing else', async () => {
    const names = [
      'taskforce_drill_20200101000000_abcdef',
      'taskforce_drill_29990101000000_abcdef',
      'taskforce_drill_notes',
    ]
    await withSuper(inject('databaseSuperUrl'), async (client) => {
      for (const name of names) await client.query(`create database ${name} owner ${DRILLER.name}`)
      await client.query(`create database taskforce_drill_20200101000000_123456`)
    })
    await drill({ manifest: backup.manifest, chunks: backup.chunks(), adminUrl: drillerUrl() })
    const left = await scratches()
    await withSuper(inject('databaseSuperUrl'), async (client) => {
      for (const name of left) await client.query(`drop database ${name}`)
    })
    expect(left).toEqual(['taskforce_drill_20200101000000_123456', ...names.slice(1)])
  })

  it('is refused to a login that may not make databases, with the SQL that lets it', async () => {
    const poor = { name: 'taskforce_drill_poor', password: 'poor' }
    const asSuper = (sql: string) => withSuper(inject('databaseSuperUrl'), (client) => client.query(sql))
    await asSuper(`create role ${poor.name} login password '${poor.password}'`)
    const adminUrl = urlFor(inject('databaseSuperUrl'), poor, world.database.name)
    const error: unknown = await drillOf({ adminUrl }).catch((thrown: unknown) => thrown)
    await asSuper(`drop role ${poor.name}`)
    expect(error).toMatchObject({
      code: 'drill_not_allowed',
      message: expect.stringContaining('alter role taskforce_drill_poor createdb;'),
    })
  })
})
