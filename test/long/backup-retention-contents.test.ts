import { createHash } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { retain, type RetainRequest } from '../../src/backup/retention/retain.ts'
import { sweepContents } from '../../src/backup/retention/sweep-contents.ts'
import { timeLeft } from '../../src/backup/retention/time-left.ts'
import { asRetention } from '../../src/db/as-retention.ts'
import { storeContent } from '../../src/db/queries/contents.ts'
import { findOldContents, removeContents } from '../../src/db/queries/retention-contents.ts'
import { send } from '../../src/db/statement.ts'
import { branchMission } from '../../src/missions/branch-mission.ts'
import { DEFAULT_TENANT } from '../../src/missions/context.ts'
import { readFile } from '../../src/missions/read-files.ts'
import { writeFile } from '../../src/tools/write-file.ts'
import { addContent, addEnded, addTenant, OTHER_TENANT } from '../support/ended-missions.ts'
import { callTools, createWorld, gate, script, until, type World } from '../support/engine.ts'
import { withConnection } from '../support/postgres.ts'

let world: World
let door: ReturnType<typeof gate>
beforeEach(async () => {
  door = gate()
  // Stores its file, and then takes its time before it gives its result.
  const slow = {
    ...writeFile,
    run: async (...args: Parameters<typeof writeFile.run>) => {
      const result = await writeFile.run(...args)
      await door.pass()
      return result
    },
  }
  world = await createWorld([slow])
})
afterEach(() => world.stop())

const db = () => world.missions.databases.engine
const run = (over: Partial<RetainRequest> = {}) => retain({ db: db(), missionDays: 30, mostMs: 60_000, ...over })
const hashOf = (text: string) => createHash('sha256').update(text).digest('hex')
const stored = async () =>
  (await world.sql<{ s: string }>('select sha256 as s from taskforce.contents order by 1')).map(({ s }) => s)
const ageAll = () => world.sql(`update taskforce.contents set created_at = created_at - interval '2 days'`)

describe('files', () => {
  it('that no event names go a day after they were stored, each tenant’s by itself', async () => {
    await addTenant(world.sql)
    const named = await world.create('x', { files: [{ name: 'a.txt', bytes: Buffer.from('named') }] })
    await addContent(world.sql, DEFAULT_TENANT, 'unnamed', 2)
    // Named in another tenant only.
    await addContent(world.sql, OTHER_TENANT, 'named', 2)
    await addContent(world.sql, DEFAULT_TENANT, 'young', 0)
    await world.sql(`update taskforce.contents set created_at = created_at - interval '9 days' where sha256 = $1`, [
      hashOf('named'),
    ])
    const would = await run({ dryRun: true })
    expect(would.contents).toMatchObject({ looked: 3, removed: 2, bytes: 12 })
    expect(await stored()).toHaveLength(4)
    expect((await run()).contents).toMatchObject({ looked: 3, removed: 2, bytes: 12, outOfTime: false })
    expect(await stored()).toEqual([hashOf('named'), hashOf('young')].sort())
    const { bytes } = await readFile(world.missions, world.caller, named, 'a.txt')
    expect(bytes.toString()).toBe('named')
  })

  it('go with the last mission that names them: in what it was given, what its tools wrote, and its result', async () => {
    const [a = '', b = ''] = await addEnded(world.sql, { tenantId: DEFAULT_TENANT, days: 40, count: 2 })
    const [c = ''] = await addEnded(world.sql, { tenantId: DEFAULT_TENANT, days: 3 })
    const file = (text: string) => ({ name: 'f', bytes: 1, sha256: hashOf(text) })
    const data: [string, object][] = [
      [a, { files: [file('given'), file('shared')] }],
      [b, { content: { sha256: hashOf('output'), bytes: 1 } }],
      [c, { result: { text: '', files: [file('shared')] } }],
      [c, { somethingNewer: [{ deep: { sha256: hashOf('newer') } }] }],
    ]
    for (const [n, [id, event]] of data.entries()) {
      await world.sql('update taskforce.events set data = $3 where mission_id = $1 and seq = $2', [
        id,
        (n % 2) + 1,
        event,
      ])
    }
    for (const text of ['given', 'shared', 'output', 'newer']) await addContent(world.sql, DEFAULT_TENANT, text, 50)
    await run({ missionDays: 90 })
    expect(await stored()).toHaveLength(4)
    await run()
    expect(await stored()).toEqual([hashOf('shared'), hashOf('newer')].sort())
  })

  it('stay while a fork has them from the mission that it goes on from', async () => {
    const parent = await world.create('x', { files: [{ name: 'a.txt', bytes: Buffer.from('inherited') }] })
    await world.engine().run()
    const { mission } = await branchMission(world.missions, world.caller, parent, { how: 'continue', content: 'More' })
    await world.sql(`update taskforce.missions set ended_at = ended_at - interval '60 days' where id = $1`, [parent])
    await ageAll()
    await run()
    expect((await readFile(world.missions, world.caller, mission.id, 'a.txt')).bytes.toString()).toBe('inherited')
  })

  it('are not lost to a mission that writes one again which nothing named any more', async () => {
    await addContent(world.sql, DEFAULT_TENANT, 'again', 5)
    const id = await world.create()
    const model = script(callTools(['write_file', { name: 'a.txt', content: 'again' }]))
    const running = world.engine({ model }).run()
    await door.reached
    // Stored, and not in the journal yet.
    expect(await world.types(id)).not.toContain('tool.finished')
    expect((await run()).contents).toMatchObject({ removed: 0 })
    door.open()
    await running
    expect((await readFile(world.missions, world.caller, id, 'a.txt')).bytes.toString()).toBe('again')
  })

  it('nor when it is written between the reading of events and the removal, committed or not', async () => {
    const sha256 = await addContent(world.sql, DEFAULT_TENANT, 'between', 5)
    const store = storeContent(DEFAULT_TENANT, sha256, Buffer.from('between'))
    for (const end of ['rollback', 'commit']) {
      const { found, cutoff } = await asRetention(db(), (tx) => findOldContents(tx, 10))
      expect(found).toHaveLength(1)
      await withConnection(world.database.appUrl, async (app) => {
        await app.query('begin')
        await send(app, [store])
        const removing = asRetention(db(), (tx) => removeContents(tx, end === 'commit' ? found : [], cutoff))
        if (end === 'commit') {
          const blocked = `select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`
          await until(async () => (await app.query(blocked)).rowCount !== 0)
        }
        await app.query(end)
        expect(await removing).toMatchObject({ removed: 0 })
      })
    }
    expect(await stored()).toEqual([sha256])
  })

  it('that many missions have are not written again by each of them', async () => {
    const file = { name: 'a.txt', bytes: Buffer.from('hot') }
    const version = async () =>
      (await world.sql<{ v: string }>('select ctid::text || xmin::text || xmax::text as v from taskforce.contents'))[0]
        ?.v
    await world.create('x', { files: [file] })
    const first = await version()
    await world.create('x', { files: [file] })
    expect(await version()).toBe(first)
    await ageAll()
    await world.create('x', { files: [file] })
    const [row] = await world.sql<{ young: boolean }>(
      `select created_at > now() - interval '1 minute' as young from taskforce.contents`,
    )
    expect(row?.young).toBe(true)
  })

  it('all stay when there was no time to read every event', async () => {
    await addContent(world.sql, DEFAULT_TENANT, 'unnamed', 2)
    const report = await sweepContents(db(), timeLeft(0), false)
    expect(report).toMatchObject({ looked: 1, removed: 0, outOfTime: true })
    expect(await stored()).toHaveLength(1)
  })
})

describe('the rest', () => {
  it('goes: keys of a week, profiles without a mission, records of 400 days, events of missions that are gone', async () => {
    const { sql } = world
    await world.create('x', { idempotency: { key: 'young', fingerprint: 'f' } })
    await world.create('x', { idempotency: { key: 'old', fingerprint: 'f' } })
    await sql(`update taskforce.idempotency_keys set created_at = now() - interval '8 days' where key = 'old'`)
    for (const [hash, name, days] of [
      ['p1', 'p', 30],
      ['p2', 'p', 20],
      ['p3', 'p', 10],
      ['q1', 'q', 30],
    ]) {
      await sql(
        `insert into taskforce.profiles (tenant_id, hash, name, body, created_at)
         values ($1, $2, $3, '{}', now() - make_interval(days => $4))`,
        [DEFAULT_TENANT, hash, name, days],
      )
    }
    const [mission = ''] = await addEnded(sql, { tenantId: DEFAULT_TENANT, days: 1 })
    await sql(`update taskforce.missions set profile_hash = 'p1' where id = $1`, [mission])
    for (const [kind, days] of [
      ['backup', 500],
      ['backup', 401],
      ['backup', 399],
      ['drill', 500],
      ['delete_tenant', 500],
      ['delete_tenant', 1],
    ]) {
      await sql(
        `insert into taskforce.upkeep (id, kind, started_at, ended_at, ok, report)
         values (gen_random_uuid(), $1, now(), now() - make_interval(days => $2), true, '{}')`,
        [kind, days],
      )
    }
    await sql(
      `insert into taskforce.upkeep (id, kind, started_at, ended_at, ok, report)
       values (gen_random_uuid(), 'retain', now(), now() - interval '401 days', true, '{"tenants": []}'),
         (gen_random_uuid(), 'retain', now(), now(), true, '{"tenants": []}')`,
    )
    await addContent(sql, DEFAULT_TENANT, 'x', 2)
    await sql(
      `insert into taskforce.events (mission_id, seq, epoch, v, type, data, tenant_id) select gen_random_uuid(), 1, 1, 1, 't', '{}', $1`,
      [OTHER_TENANT],
    )
    const report = await run()
    expect(report).toMatchObject({ keys: 1, profiles: 1, upkeep: 3, contents: { orphanEvents: 1 }, outOfTime: false })
    expect(await sql('select key from taskforce.idempotency_keys')).toEqual([{ key: 'young' }])
    const names = `select hash from taskforce.profiles where name in ('p', 'q') order by 1`
    expect(await sql(names)).toEqual([{ hash: 'p1' }, { hash: 'p3' }, { hash: 'q1' }])
    // A held backup has a removed tenant for as long as it is held, and a restore of it goes by these.
    expect(await sql('select kind from taskforce.upkeep order by 1')).toEqual(
      ['backup', 'delete_tenant', 'delete_tenant', 'drill', 'retain'].map((kind) => ({ kind })),
    )
  })
})
