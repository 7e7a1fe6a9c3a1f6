import { Client } from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { createWorld, gate, until, type EngineOptions, type Script } from '../support/engine.ts'
import type { TestEngine, World } from '../support/engine.ts'
import { withSuper } from '../support/global-setup.ts'
import { startOwnServer, type OwnServer } from '../support/own-server.ts'
import { withConnection } from '../support/postgres.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'
import { fillDisk } from '../support/full-disk.ts'
import {
  allCompleted,
  counting,
  countingTool,
  expectFewConnections,
  expectWholeJournals,
  startLanes,
  watchErrors,
} from '../support/under-faults.ts'

// What is done to the server here would hurt every other test, so the world is made on another one.
const own = vi.hoisted((): { server?: OwnServer } => ({}))
vi.mock(import('../support/postgres.ts'), async (original) => ({
  ...(await original()),
  createTestDatabase: () => (own.server as OwnServer).createDatabase(),
}))

const TURNS = 15
const ATTEMPTS = 4

let server: OwnServer
let world: World
let ids: string[]
let runs: Map<string, number>
let errors: Set<string>
let lanes: { stop(): Promise<void> } | undefined

beforeAll(async () => {
  // Deadlocks are looked for before the engine's own lock timeout of a second is over.
  server = own.server = await startOwnServer({ max_connections: '25', deadlock_timeout: '200ms' })
})
afterAll(() => server.stop())

beforeEach(async () => {
  const counted = countingTool(50)
  runs = counted.runs
  ids = []
  errors = new Set()
  world = await createWorld([counted.count])
})
afterEach(async () => {
  await lanes?.stop()
  lanes = undefined
  await world.stop()
})

/** Some missions of 15 turns, under way on one engine. */
async function start(missions: number, turns = TURNS, options: EngineOptions = {}): Promise<TestEngine> {
  ids = await Promise.all(Array.from({ length: missions }, (_, n) => world.create(`goal ${n}`)))
  const one = world.engine({ model: counting(turns), ...options })
  errors = watchErrors(one.db)
  lanes = startLanes(one.engine, missions)
  return one
}

/** A third of the steps, by default, are done. */
async function underWay(steps = (ids.length * TURNS) / 3): Promise<void> {
  const done = `select count(*)::int as n from taskforce.events where type = 'tool.finished'`
  await until(async () => ((await world.sql<{ n: number }>(done))[0]?.n ?? 0) >= steps)
}

/** Everything is complete, once, and without a crash counted against anybody. */
async function expectAllWell(turns = TURNS): Promise<void> {
  await allCompleted(world)
  await expectWholeJournals(world, ids, turns)
  expect(runs.size).toBe(ids.length * turns)
  await expectFewConnections(world)
}

const asSuper = (...statements: string[]) =>
  withSuper(server.superUrl, async (client) => {
    for (const statement of statements) await client.query(statement)
  })

async function endEngineConnections(): Promise<void> {
  await asSuper(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'taskforce-engine'`)
}

/** Asked by a superuser, who sees what others do, and not in a transaction, which would see the same activity for ever. */
async function flushWaits(): Promise<void> {
  const waiting = `select from pg_stat_activity where wait_event_type = 'Lock' and query like '%insert into taskforce.events%'`
  await withSuper(server.superUrl, (client) => until(async () => (await client.query(waiting)).rowCount !== 0))
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

describe('missions go on, each step recorded once, after', () => {
  it('the connection is ended in the middle of a flush of eight', async () => {
    await start(8)
    await underWay()
    await withConnection(world.database.ownerUrl, async (locker) => {
      // Readers get through, writers wait.
      await locker.query('begin; lock table taskforce.events in share row exclusive mode')
      await flushWaits()
      await endEngineConnections()
      await locker.query('commit')
    })
    await expectAllWell()
    expect(errors).toContain('57P01')
  })

  it.each(['answer', 'request'] as const)(
    'the %s of a flush of eight ends was lost with its connection',
    async (what) => {
      const proxy = await startTcpProxy(world.database.appUrl)
      const door = gate()
      let asked = 0
      const model: Script = async (messages, signal) => {
        if (messages.length === 4 && ++asked === 8) door.open()
        if (messages.length === 4) await door.pass()
        return counting(1)(messages, signal)
      }
      const cut = proxy.cut(
        what,
        (request) => ids.every((id) => request.includes(id)) && request.includes('mission.completed'),
      )
      const { told } = await start(8, 1, { model, url: proxy.url })
      await cut
      await allCompleted(world)
      await lanes?.stop()
      await proxy.stop()
      await expectWholeJournals(world, ids, 1)
      expect([...runs.values()]).toEqual(ids.map(() => 1))
      // Each found by itself that it had ended, instead of being found by somebody else.
      expect(told.leaseLost).toBeUndefined()
    },
  )

  it('the server was read-only for a while, as in a failover', async () => {
    await start(8)
    await underWay()
    await asSuper('alter system set default_transaction_read_only = on', 'select pg_reload_conf()')
    await until(() => errors.has('25006'))
    await pause(3_000)
    await asSuper('alter system reset default_transaction_read_only', 'select pg_reload_conf()')
    await expectAllWell()
    expect([...errors]).toEqual(['25006'])
  })

  it('other clients had taken all connections', async () => {
    await start(8)
    await underWay()
    const others: Client[] = []
    const takeOne = async () => {
      const other = new Client({ connectionString: world.database.appUrl })
      await other.connect()
      others.push(other)
      return false
    }
    try {
      await until(async () => {
        await endEngineConnections()
        await until(() => takeOne().catch(() => true))
        return errors.has('53300')
      })
      await pause(2_000)
    } finally {
      await Promise.all(others.map((other) => other.end()))
    }
    await expectAllWell()
    expect(errors).toContain('53300')
  })

  it('a flush of two was the victim of a deadlock', { timeout: 60_000 }, async () => {
    // Which row the flush locks first is the planner's choice: against one of the two orders it must lose.
    for (let attempt = 0; attempt < ATTEMPTS && !errors.has('40P01'); attempt++) await deadlock(attempt % 2 === 1)
    expect(errors).toContain('40P01')
  })

  it('the disk was full for a while', { timeout: 60_000 }, async () => {
    await start(8)
    await underWay()
    const disk = await fillDisk(worldAsSuper())
    await until(() => errors.has('53100'))
    await pause(8_000)
    await disk.makeRoom()
    await expectAllWell()
    expect([...errors]).toEqual(['53100'])
  })

  it('the server crashed three times under sixteen', { timeout: 60_000 }, async () => {
    await start(16, 20)
    for (const steps of [60, 140, 220]) {
      await underWay(steps)
      await server.crashAndStart()
    }
    await expectAllWell(20)
    expect(errors.size).toBeGreaterThan(0)
  })
})

/** Two missions end in one flush while somebody else locks their rows one after the other. */
async function deadlock(reverse: boolean): Promise<void> {
  const door = gate()
  let asked = 0
  const one = world.engine({
    model: async (messages, signal) => {
      if (messages.length > 2) asked++
      if (messages.length > 2) await door.pass()
      return counting(1)(messages, signal)
    },
  })
  errors = watchErrors(one.db)
  ids.push(await world.create('first'), await world.create('second'))
  const [first, second] = reverse ? ids.slice(-2).toReversed() : ids.slice(-2)
  const running = [one.engine.runOne(), one.engine.runOne()]
  await until(() => asked === 2)
  const lock = 'select from taskforce.missions where id = $1 for update'
  await withSuper(worldAsSuper(), async (other) => {
    // It looks for deadlocks later than the engine's session does, so that it is not the victim itself.
    await other.query(`set deadlock_timeout = '10s'; begin`)
    await other.query(lock, [first])
    door.open()
    await flushWaits()
    await other.query(lock, [second])
    await other.query('commit')
  })
  expect(
    (await Promise.allSettled(running)).map((slice) =>
      slice.status === 'fulfilled' ? slice.value?.end : slice.reason,
    ),
  ).toEqual(['ended', 'ended'])
  await expectWholeJournals(world, ids, 1)
}

function worldAsSuper(): string {
  return Object.assign(new URL(server.superUrl), { pathname: `/${world.database.name}` }).href
}
