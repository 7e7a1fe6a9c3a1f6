import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { beat } from '../../src/db/queries/instances.ts'
import { cancelMission } from '../../src/missions/cancel-mission.ts'
import { claimOne, createWorld, tool, until, type TestEngine, type World } from '../support/engine.ts'
import { goalOf, modelOfGoals } from '../support/goal-script.ts'
import { startEngineProcess, type EngineProcess } from '../support/start-engine-process.ts'
import { allCompleted } from '../support/under-faults.ts'

const LEASE_MS = 3_000
const HOUR_MS = 3_600_000

let world: World
let processes: EngineProcess[]
/** How often this process's instance ran a tool, by call. */
let runs: Map<string, number>

beforeEach(async () => {
  processes = []
  runs = new Map()
  const quick = (name: string) =>
    tool(name, (_, { key }) => (runs.set(key, (runs.get(key) ?? 0) + 1), 'ok'), { effect: 'idempotent' })
  world = await createWorld([quick('hold'), quick('busy'), quick('freeze')])
})
afterEach(async () => {
  await Promise.all(processes.map((one) => one.kill()))
  await world.stop()
})

async function startProcess(skewMs = 0): Promise<EngineProcess> {
  const started = await startEngineProcess(world.database.appUrl, { leaseMs: LEASE_MS, skewMs })
  processes.push(started)
  return started
}

/** An instance that has found nothing to do, and gets no wake from now on: it is awake for half a minute. */
async function startAwake(concurrency = 32): Promise<TestEngine> {
  const awake = world.engine({ model: modelOfGoals, leaseMs: LEASE_MS, concurrency })
  expect(await awake.engine.runOne()).toBeUndefined()
  return awake
}

/** The first owner wrote nothing after the second one had begun, and nothing is there twice. */
async function expectFenced(id: string): Promise<void> {
  const events = await world.events(id)
  expect(events.map(({ type, epoch }) => [type, epoch])).toEqual([
    ['mission.created', 0],
    ['mission.started', 1],
    ['model.answered', 1],
    ['tool.finished', 2],
    ['model.answered', 2],
    ['mission.completed', 2],
  ])
  expect(events.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6])
  expect(await world.row(id)).toMatchObject({ status: 'completed', owner: null, epoch: 2 })
}

async function expectUsable(child: EngineProcess): Promise<void> {
  const slices = child.said.filter(({ said }) => said === 'slice').length
  const id = await world.create(goalOf())
  child.tell('run')
  await child.heard('slice', slices + 1)
  expect(child.said.at(-1)).toEqual({ said: 'slice', end: 'ended' })
  expect(await world.row(id)).toMatchObject({ status: 'completed', epoch: 1 })
}

describe('an instance whose process', () => {
  it('stood still for longer than its lease loses its mission, finds out before it writes, and goes on', async () => {
    const child = await startProcess()
    const id = await world.create(goalOf(['hold']))
    child.tell('run')
    await child.heard('begun')
    await startAwake()
    child.signal('SIGSTOP')
    await allCompleted(world)
    // The tool's result is the first thing that the process finds when it goes on.
    child.tell('go')
    child.signal('SIGCONT')
    await child.heard('slice')
    expect(child.said.filter(({ said }) => said === 'slice')).toEqual([{ said: 'slice', end: 'lost' }])
    expect(child.said.filter(({ said }) => said === 'lost')).toHaveLength(1)
    await expectFenced(id)
    await expectUsable(child)
  })

  it('stood still with a result in its hands records nothing, even where its successor has recorded nothing yet', async () => {
    const child = await startProcess()
    const id = await world.create(goalOf(['freeze']))
    child.tell('run')
    await child.heard('begun')
    const { engine: db } = world.missions.databases
    const successor = randomUUID()
    await beat(db, { id: successor, version: '0', host: 'test' }, 60)
    await until(async () => (await claimOne(db, successor))?.epoch === 2)
    child.signal('SIGCONT')
    await child.heard('slice')
    expect(child.said.map(({ said }) => said)).toEqual(['ready', 'begun', 'ended', 'lost', 'slice'])
    expect(await world.types(id)).toEqual(['mission.created', 'mission.started', 'model.answered'])
    await expectUsable(child)
  })

  it('was blocked by a tool for longer than its lease loses its mission, finds out before it writes, and goes on', async () => {
    const child = await startProcess()
    const id = await world.create(goalOf(['busy']))
    child.tell('run')
    await child.heard('begun')
    await startAwake()
    await allCompleted(world)
    expect(child.said.some(({ said }) => said === 'slice')).toBe(false)
    await child.heard('slice')
    expect(child.said.filter(({ said }) => said === 'slice')).toEqual([{ said: 'slice', end: 'lost' }])
    expect(child.said.filter(({ said }) => said === 'lost')).toHaveLength(1)
    await expectFenced(id)
    await expectUsable(child)
  })

  it.each([32, 3])('was killed loses its eight missions to one that is awake with room for %d', async (room) => {
    const child = await startProcess()
    const ids = await Promise.all(Array.from({ length: 8 }, () => world.create(goalOf(['hold']))))
    for (const _ of ids) child.tell('run')
    await child.heard('begun', ids.length)
    const awake = await startAwake(room)
    await child.kill()
    // No wake is sent and nobody sweeps.
    await allCompleted(world)
    for (const id of ids) await expectFenced(id)
    expect([...runs.values()]).toEqual(ids.map(() => 1))
    expect(awake.told.sliceFailed).toBeUndefined()
  })

  it('runs a tool stops it when its mission is cancelled, and records nothing after that', async () => {
    const child = await startProcess()
    const id = await world.create(goalOf(['hold']))
    child.tell('run')
    await child.heard('begun')
    await cancelMission(world.missions, world.caller, id, undefined)
    await child.heard('slice')
    expect(child.said.map(({ said }) => said)).toEqual(['ready', 'begun', 'aborted', 'lost', 'slice'])
    child.tell('go')
    await expectUsable(child)
    const types = await world.types(id)
    expect(types).toEqual(['mission.created', 'mission.started', 'model.answered', 'mission.cancelled'])
  })
})

describe('a timer', () => {
  it.each([HOUR_MS, -HOUR_MS])('fires when it is due, on an instance whose clock is wrong by %d ms', async (skewMs) => {
    const child = await startProcess(skewMs)
    const id = await world.create(goalOf(['wait', { seconds: 2 }]))
    let slices = 0
    // Whoever comes too early finds nothing.
    await until(async () => {
      child.tell('run')
      await child.heard('slice', ++slices)
      return (await world.row(id)).status === 'completed'
    })
    const events = await world.events(id)
    const due = events.flatMap((event) => (event.type === 'timer.set' ? [Date.parse(event.data.until)] : []))
    const fired = events.flatMap((event) => (event.type === 'timer.fired' ? [event.at] : []))
    const answered = events.flatMap((event) => (event.type === 'model.answered' ? [event.at] : []))
    expect(fired).toHaveLength(1)
    expect(fired[0]).toBeGreaterThanOrEqual(due[0] as number)
    // Two seconds after the model asked for them, on the database's clock.
    expect((due[0] as number) - (answered[0] as number)).toBeLessThan(HOUR_MS / 2)
    expect((due[0] as number) - (answered[0] as number)).toBeGreaterThan(0)
  })
})
