import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { createDatabases, type Databases } from '../../src/db/connection.ts'
import { storeDeltas } from '../../src/db/queries/deltas.ts'
import { DEFAULT_TENANT } from '../../src/missions/context.ts'
import { Watchers, type Delta } from '../../src/missions/watchers.ts'
import { until } from '../support/engine.ts'
import { createTestDatabase, withConnection, type TestDatabase } from '../support/postgres.ts'

let database: TestDatabase
let databases: Databases
/** Names of the statements so far, and how many positions the last poll asked for. */
const statements: string[] = []
let positions = 0
const stops: (() => void)[] = []

beforeAll(async () => {
  database = await createTestDatabase()
  databases = createDatabases({ url: database.appUrl, pooler: undefined, onError: () => undefined })
  const { engine } = databases
  const query = engine.query.bind(engine) as (...args: unknown[]) => unknown
  engine.query = ((statement: { name: string; values: unknown[][] }, ...rest: unknown[]) => {
    statements.push(statement.name)
    positions = statement.values[0]?.length ?? 0
    return query(statement, ...rest)
  }) as typeof engine.query
})
afterEach(() => {
  for (const stop of stops.splice(0)) stop()
  vi.restoreAllMocks()
})
afterAll(async () => {
  await databases.close()
  await database.drop()
})

const sql = <T extends object>(text: string, values: unknown[]) =>
  withConnection(database.ownerUrl, async (owner) => (await owner.query<T>(text, values)).rows)

async function createMission(epoch = 1): Promise<string> {
  const id = randomUUID()
  await sql(
    `with pinned as (
       insert into taskforce.profiles (tenant_id, hash, name, body) values ($2, 'h', 'dev', '{}') on conflict do nothing
     )
     insert into taskforce.missions (id, tenant_id, status, goal, profile, profile_hash, epoch)
     values ($1, $2, 'running', '', 'dev', 'h', $3)`,
    [id, DEFAULT_TENANT, epoch],
  )
  return id
}

async function append(missionId: string, from: number, to: number, type = 'plan.updated', bytes = 1): Promise<void> {
  await sql(
    `insert into taskforce.events (mission_id, seq, epoch, v, type, data, tenant_id)
     select $1, n, 1, 1, $4, jsonb_build_object('n', n, 'text', (
       select string_agg(md5(n::text || k), '') from generate_series(1, $5 / 32 + 1) k
     )), $6
     from generate_series($2::int, $3::int) n`,
    [missionId, from, to, type, bytes, DEFAULT_TENANT],
  )
}

function watch(watchers: Watchers, missionId: string, { afterSeq = 0, room = () => Infinity, deltas = false } = {}) {
  const seen: number[] = []
  const drafts: Delta[] = []
  const pages: number[] = []
  const errors: unknown[] = []
  const stop = watchers.watch({
    missionId,
    tenantId: DEFAULT_TENANT,
    afterSeq,
    hasRoom: () => room() > 0,
    deliver(rows) {
      const taken = rows.slice(0, room())
      pages.push(rows.length)
      seen.push(...taken.map(({ seq }) => seq))
      return taken.length
    },
    preview: deltas ? (delta) => void drafts.push(delta) : undefined,
    fail: (error) => void errors.push(error),
  })
  stops.push(stop)
  return { seen, drafts, pages, errors, stop }
}

const upTo = (to: number, from = 1) => Array.from({ length: to - from + 1 }, (_, index) => from + index)

/** Waits until so many more polls have begun. */
async function polls(count: number): Promise<void> {
  const before = statements.length
  await until(() => statements.slice(before).filter((name) => name.startsWith('watch_poll')).length >= count)
}

describe('watchers of one instance', () => {
  test('are served by one statement a poll, however many they are', async () => {
    const watchers = new Watchers(databases.engine)
    const ids = await Promise.all([1, 2, 3].map(() => createMission()))
    for (const id of ids) await append(id, 1, 5)
    const before = statements.length
    const readers = ids.flatMap((id) => upTo(100).map((n) => watch(watchers, id, { afterSeq: n % 4 })))
    await until(() => readers.every(({ seen }) => seen.at(-1) === 5))
    expect(statements.slice(before)).toEqual(['watch_poll'])
    expect(positions).toBe(12)
    for (const [n, { seen }] of readers.entries()) expect(seen).toEqual(upTo(5, (((n % 100) + 1) % 4) + 1))
  })

  test('who start late do not hold up those who are further on', async () => {
    const watchers = new Watchers(databases.engine)
    const id = await createMission()
    await append(id, 1, 500)
    const [start, end] = [watch(watchers, id), watch(watchers, id, { afterSeq: 490 })]
    await until(() => end.seen.length > 0)
    expect(start.seen).toEqual(upTo(200))
    await until(() => start.seen.length === 500)
    expect(start.seen).toEqual(upTo(500))
    expect(end.seen).toEqual(upTo(500, 491))
  })

  test('get 10,000 events of 1 KB in pages that fit into memory', async () => {
    const watchers = new Watchers(databases.engine)
    const id = await createMission()
    await append(id, 1, 10_000)
    await append(id, 10_001, 10_100, 'plan.updated', 100_000)
    const { seen, pages } = watch(watchers, id)
    await until(() => seen.length === 10_100)
    expect(seen).toEqual(upTo(10_100))
    expect(Math.max(...pages)).toBe(200)
    // 512 KiB are five events of 100 KB and the one that goes beyond.
    expect(Math.max(...pages.slice(-10))).toBe(6)
  })

  test('who can take only some get the rest later, and are not asked for meanwhile', async () => {
    const watchers = new Watchers(databases.engine)
    const id = await createMission()
    await append(id, 1, 10)
    let room = 3
    const slow = watch(watchers, id, { room: () => room })
    const idle = watch(watchers, await createMission())
    await until(() => slow.seen.length === 3)
    room = 0
    await polls(2)
    expect(slow.pages).toEqual([10])
    room = 4
    await until(() => slow.seen.length >= 7)
    room = 9
    await until(() => slow.seen.length === 10)
    expect(slow.seen).toEqual(upTo(10))
    expect(idle.seen).toEqual([])
  })

  test('are refused beyond as many as there may be, until one has gone', () => {
    const watchers = new Watchers(databases.engine, 2)
    const id = randomUUID()
    const first = watch(watchers, id)
    watch(watchers, id)
    expect(() => watch(watchers, id)).toThrow(expect.objectContaining({ name: 'Refusal', code: 'rate_limited' }))
    first.stop()
    expect(() => watch(watchers, id)).not.toThrow()
  })

  test('leave no timer behind when the last one goes', async () => {
    vi.useFakeTimers()
    const watchers = new Watchers({ query: () => Promise.resolve({ rows: [] }) } as unknown as Databases['engine'])
    const [one, two] = [watch(watchers, randomUUID()), watch(watchers, randomUUID())]
    await vi.advanceTimersByTimeAsync(1000)
    one.stop()
    expect(vi.getTimerCount()).toBe(1)
    two.stop()
    expect(vi.getTimerCount()).toBe(0)
    vi.useRealTimers()
  })
})

describe('answers that are being written', () => {
  const write = (missionId: string, text: string, { epoch = 1, afterSeq = 3 } = {}) =>
    storeDeltas(databases.engine, [{ missionId, epoch, afterSeq, text }], [])
  const marked = async (ids: string[]) =>
    (await sql('select from taskforce.watched where mission_id = any($1) and until > now()', [ids])).length

  test('come with the events, in the same statement, to those who want them', async () => {
    const watchers = new Watchers(databases.engine)
    const id = await createMission()
    await append(id, 1, 3)
    await write(id, 'Hel')
    const before = statements.length
    const [wants, wantsNot] = [watch(watchers, id, { deltas: true }), watch(watchers, id)]
    await until(() => wants.drafts.length > 0)
    expect(wants.seen).toEqual([1, 2, 3])
    expect(wants.drafts[0]).toMatchObject({ missionId: id, epoch: 1, afterSeq: 3, text: 'Hel' })
    await until(() => statements.length > before + 1)
    expect(statements.slice(before, before + 2)).toEqual(['watch_poll_drafts', 'mark_watched'])
    await write(id, 'Hello')
    await until(() => wants.drafts.at(-1)?.text === 'Hello')
    expect(wantsNot.drafts).toEqual([])
  })

  test('are not shown once recorded, nor those of an earlier owner, nor before the events that they follow', async () => {
    const watchers = new Watchers(databases.engine)
    const [recorded, earlier, later, told] = (await Promise.all(upTo(4).map(() => createMission()))) as [
      string,
      string,
      string,
      string,
    ]
    for (const id of [recorded, earlier, later, told]) {
      await append(id, 1, 3)
      await write(id, 'Old')
    }
    await append(recorded, 4, 4, 'model.answered')
    await append(told, 4, 4, 'mission.message')
    await sql('update taskforce.missions set epoch = 2 where id = $1', [earlier])
    const readers = [recorded, earlier, told].map((id) => watch(watchers, id, { deltas: true }))
    const behind = watch(watchers, later, { deltas: true, room: () => 1 })
    await until(() => behind.drafts.length > 0)
    expect(behind.seen).toEqual([1, 2, 3])
    expect(readers.map(({ drafts }) => drafts.length > 0)).toEqual([false, false, true])
  })

  test('are asked for by one statement for all missions with such readers, and for no others', async () => {
    const watchers = new Watchers(databases.engine)
    const ids = await Promise.all(upTo(3).map(() => createMission()))
    const before = statements.length
    for (const [n, missionId] of ids.entries()) watch(watchers, missionId, { deltas: n > 0 })
    await until(async () => (await marked(ids)) > 0)
    await polls(3)
    expect(await marked(ids)).toBe(2)
    expect(statements.slice(before).filter((name) => name === 'mark_watched')).toHaveLength(1)
  })

  test.each(['deltas', 'watched'])('whose table %s is out of order keep no event back', async (table) => {
    await sql(`alter table taskforce.${table} rename to moved`, [])
    try {
      const watchers = new Watchers(databases.engine)
      const id = await createMission()
      await append(id, 1, 2)
      const { seen, errors } = watch(watchers, id, { deltas: true })
      await until(() => seen.length === 2)
      await append(id, 3, 3)
      await until(() => seen.length === 3)
      expect(errors).toEqual([])
    } finally {
      await sql(`alter table taskforce.moved rename to ${table}`, [])
    }
  })
})
