import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { createDatabases, type ConnectionSettings, type Databases } from '../../src/db/connection.ts'
import { inTenant } from '../../src/db/in-tenant.ts'
import { createLogins } from '../../src/db/roles.ts'
import type { Storable } from '../../src/db/queries/storable.ts'
import { appendUnderLeases } from '../../src/db/queries/append-events.ts'
import { createJournal } from '../../src/engine/postgres-journal.ts'
import { createContents, createMissions } from '../../src/engine/postgres-missions.ts'
import { sweep } from '../../src/engine/sweep.ts'
import { systemClock } from '../../src/engine/system-clock.ts'
import { answerQuestion } from '../../src/missions/answer-question.ts'
import { cancelMission } from '../../src/missions/cancel-mission.ts'
import { DEFAULT_TENANT, type MissionsContext } from '../../src/missions/context.ts'
import { createMission } from '../../src/missions/create-mission.ts'
import { callTools, createWorld, gate, recordTelemetry, recordWakes, script, tool, until } from '../support/engine.ts'
import type { EngineOptions, TestEngine, World } from '../support/engine.ts'
import { APP, OWNER, withSuper } from '../support/global-setup.ts'
import { startOwnServer, type OwnServer } from '../support/own-server.ts'
import { pgbouncerVersion, startPgBouncer, type PgBouncer } from '../support/pgbouncer.ts'
import { withConnection } from '../support/postgres.ts'
import {
  allCompleted,
  counting,
  countingTool,
  expectWholeJournals,
  startLanes,
  watchErrors,
} from '../support/under-faults.ts'

// The server is crashed here, so the world is made on one of its own.
const own = vi.hoisted((): { server?: OwnServer } => ({}))
vi.mock(import('../support/postgres.ts'), async (original) => ({
  ...(await original()),
  createTestDatabase: () => (own.server as OwnServer).createDatabase(),
}))

const OTHER_TENANT = '00000000-0000-7000-8000-0000000000bb'

let server: OwnServer
let world: World
let bouncer: PgBouncer
/** The use cases, by way of the pooler. */
let missions: MissionsContext
let runs: Map<string, number>
const working = gate()
let errors: Set<string>
const opened: Databases[] = []
const engines: TestEngine[] = []

const there = pgbouncerVersion() !== undefined

beforeAll(async () => {
  server = own.server = await startOwnServer()
})
afterAll(() => server.stop())

beforeEach(async () => {
  const counted = countingTool()
  runs = counted.runs
  const slow = tool('slow', async (_, { signal }) => {
    void working.pass()
    await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
    return 'never'
  })
  world = await createWorld([counted.count, slow])
  bouncer = await startPgBouncer(world.database.appUrl)
  missions = { ...world.missions, databases: open({ url: bouncer.url, pooler: 'transaction' }) }
})
afterEach(async () => {
  await Promise.allSettled(engines.splice(0).map((one) => one.engine.drain()))
  await Promise.all(opened.splice(0).map((databases) => databases.close()))
  await bouncer.stop()
  await world.stop()
})

function open({ url, pooler }: Pick<ConnectionSettings, 'url' | 'pooler'>): Databases {
  const databases = createDatabases({ url, pooler, onError: () => undefined })
  opened.push(databases)
  return databases
}

function engine(options: EngineOptions): TestEngine {
  const { engine: db } = open({ url: bouncer.url, pooler: 'transaction' })
  errors = watchErrors(db)
  const made = world.engine({
    ...options,
    over: ({ instance }) => ({
      journal: createJournal(db, systemClock),
      missions: createMissions(db, { id: instance, version: '0', host: 'test' }, 30),
      contents: createContents(db, systemClock),
    }),
  })
  engines.push(made)
  return made
}

async function create(goal: string): Promise<string> {
  const request = { messages: [{ role: 'user' as const, content: goal }], files: [], labels: {}, priority: 0 }
  return (await createMission(missions, world.caller, request)).mission.id
}

describe.skipIf(!there)('behind PgBouncer in transaction mode, two server connections for all', () => {
  it('eight missions on two engines record every step once', async () => {
    const ids = await Promise.all(Array.from({ length: 8 }, (_, n) => create(`goal ${n}`)))
    const lanes = [engine({ model: counting(5) }), engine({ model: counting(5) })].map((one) =>
      startLanes(one.engine, 4),
    )
    await allCompleted(world)
    await Promise.all(lanes.map((one) => one.stop()))
    await expectWholeJournals(world, ids, 5)
    expect(runs.size).toBe(40)
    expect([...runs.values()].every((times) => times === 1)).toBe(true)
    expect(await serverConnections()).toBe(2)
  })

  it('a question is asked, answered by the use case, and the mission goes on', async () => {
    const id = await create('Ask')
    const { run } = engine({ model: script(callTools(['ask_user', { question: 'Which colour?' }])) })
    expect(await run()).toEqual(['waiting'])
    const asked = (await world.events(id)).flatMap((event) => (event.type === 'question.asked' ? [event.data] : []))
    await answerQuestion(missions, world.caller, id, { questionId: asked[0]?.questionId ?? '', answer: 'green' })
    expect(await run()).toEqual(['ended'])
    expect(await world.types(id)).toContain('question.answered')
    expect(await world.row(id)).toMatchObject({ status: 'completed' })
  })

  it('the control poll tells a cancel to a tool that runs', async () => {
    const id = await create('Slow')
    const one = engine({ model: script(callTools(['slow'])) })
    const running = one.engine.runOne()
    await working.reached
    await cancelMission(missions, world.caller, id, undefined)
    expect(await running).toEqual({ missionId: id, end: 'lost' })
    expect((await world.types(id)).at(-1)).toBe('mission.cancelled')
  })

  it('the sweep finds what lies there without a wake', async () => {
    const id = await create('Lost wake')
    const wakes = recordWakes()
    const telemetry = recordTelemetry({})
    expect(await sweep({ db: missions.databases.engine, wakes, telemetry })).toEqual({ due: 1 })
    expect(wakes.sent).toEqual([{ missionId: id, inSeconds: 0 }])
    expect(await sweep({ db: missions.databases.engine, wakes, telemetry }, 60)).toEqual({ due: 0 })
  })

  it('no tenant leaks from one transaction into the next', async () => {
    await world.sql(`insert into taskforce.tenants (id, name) values ($1, 'other')`, [OTHER_TENANT])
    await Promise.all([create('mine'), create('mine too')])
    const { api } = missions.databases
    const look = async (tenant: string) =>
      inTenant(api, tenant, async (tx) => {
        const { rows } = await tx.query<{ tenant: string; role: string; missions: number }>(
          `select current_setting('app.tenant') as tenant, current_user as role, count(*)::int as missions from taskforce.missions`,
        )
        return rows[0]
      })
    const tenants = Array.from({ length: 200 }, (_, n) => (n % 3 === 0 ? OTHER_TENANT : DEFAULT_TENANT))
    const outside = () =>
      api.query<{ tenant: string | null; role: string }>(
        `select current_setting('app.tenant', true) as tenant, current_user as role`,
      )
    const [seen, after] = await Promise.all([Promise.all(tenants.map(look)), Promise.all(tenants.map(outside))])
    expect(seen).toEqual(
      tenants.map((tenant) => ({ tenant, role: 'taskforce_api', missions: tenant === OTHER_TENANT ? 0 : 2 })),
    )
    const left = after.map(({ rows }) => `${rows[0]?.role} for "${rows[0]?.tenant ?? ''}"`)
    expect(new Set(left)).toEqual(new Set(['taskforce_app for ""']))
  })

  it('a lock holds a flush up no longer than the limit of the login', async () => {
    await withSuper(server.superUrl, (client) =>
      createLogins(client, { owner: OWNER, app: APP, database: world.database.name }),
    )
    // Connections to the server that were there before don't have the limit.
    await bouncer.restart()
    const ids = [await create('one'), await create('two')]
    const door = gate()
    let asked = 0
    const one = engine({
      model: async (messages, signal) => {
        asked++
        await door.pass()
        return counting(1)(messages, signal)
      },
    })
    const running = [one.engine.runOne(), one.engine.runOne()]
    await until(() => asked === 2)
    await withConnection(world.database.ownerUrl, async (locker) => {
      await locker.query('begin; lock table taskforce.events in share row exclusive mode')
      door.open()
      await until(() => errors.has('55P03'))
      await locker.query('rollback')
    })
    expect((await Promise.all(running)).map((slice) => slice?.end)).toEqual(['ended', 'ended'])
    await expectWholeJournals(world, ids, 1)
  })

  it('a pooler that dies three times loses nothing and repeats nothing', async () => {
    const ids = await Promise.all(Array.from({ length: 8 }, (_, n) => create(`goal ${n}`)))
    const lanes = [engine({ model: counting(20) }), engine({ model: counting(20) })].map((one) =>
      startLanes(one.engine, 4),
    )
    for (const steps of [30, 70, 110]) {
      await until(async () => (await finished()) >= steps)
      await bouncer.restart()
    }
    await allCompleted(world)
    await Promise.all(lanes.map((one) => one.stop()))
    await expectWholeJournals(world, ids, 20)
    expect(runs.size).toBe(160)
    await expectNoTakeOver()
  })

  it('a server that crashes three times behind the pooler loses nothing and repeats nothing', async () => {
    const ids = await Promise.all(Array.from({ length: 8 }, (_, n) => create(`goal ${n}`)))
    const one = engine({ model: counting(20) })
    const lanes = startLanes(one.engine, 8)
    for (const steps of [30, 70, 110]) {
      await until(async () => (await finished()) >= steps)
      await server.crashAndStart(2_000)
    }
    await allCompleted(world)
    await lanes.stop()
    await expectWholeJournals(world, ids, 20)
    await expectNoTakeOver()
    // The pooler's own words for it, which are no SQLSTATE of a lost connection.
    expect(errors).toContain('08P01')
  })
})

describe.skipIf(!there)('without DATABASE_POOLER=transaction', () => {
  it('the pooler refuses the connection for its start-up parameters', async () => {
    const { engine: db } = open({ url: bouncer.url, pooler: undefined })
    await expect(db.query('select 1')).rejects.toThrow('unsupported startup parameter')
  })

  it('or else named statements meet a server connection that does not know them', async () => {
    const ignoring = await startPgBouncer(world.database.appUrl, { ignoreParameters: true })
    const direct = { url: ignoring.url, pooler: undefined }
    const [one, other] = [open(direct), open(direct)]
    try {
      const lease = { missionId: randomUUID(), instance: randomUUID(), epoch: 1 }
      const event = { type: 'mission.started', data: { instance: 'i' } } as const
      const events: Storable[] = [{ event, json: JSON.stringify(event.data) }]
      const flushes = Array.from({ length: 10 }, async (_, n) =>
        appendUnderLeases((n % 2 === 0 ? one : other).engine, [{ lease, afterSeq: 1, events }]),
      )
      const failed = (await Promise.allSettled(flushes)).flatMap((end) =>
        end.status === 'rejected' ? [(end.reason as Error).message] : [],
      )
      expect(failed.join('\n')).toMatch(/prepared statement "append_one" (does not exist|already exists)/)
    } finally {
      await ignoring.stop()
    }
  })
})

async function finished(): Promise<number> {
  const rows = await world.sql<{ n: number }>(
    `select count(*)::int as n from taskforce.events where type = 'tool.finished'`,
  )
  return rows[0]?.n ?? 0
}

/** A slice outlasts the fault: none had to be claimed a second time. */
async function expectNoTakeOver(): Promise<void> {
  expect(await world.sql('select distinct epoch from taskforce.missions')).toEqual([{ epoch: 1 }])
}

async function serverConnections(): Promise<number> {
  const rows = await world.sql<{ n: number }>(
    `select count(*)::int as n from pg_stat_activity where datname = current_database() and usename = 'taskforce_app'`,
  )
  return rows[0]?.n ?? 0
}
