import { afterEach, expect, it } from 'vitest'
import { createAndWait } from '../../src/missions/create-and-wait.ts'
import { Watchers } from '../../src/missions/watchers.ts'
import { callTools, createWorld, gate, say, tool, until, type World } from '../support/engine.ts'

let world: World
afterEach(() => world.stop())

const request = { messages: [{ role: 'user' as const, content: 'Do it' }], files: [], labels: {}, priority: 0 }

it('gives the mission as it is when the time is up, and hands it over after the step that was under way', async () => {
  world = await createWorld([tool('note', () => 'noted')])
  const door = gate()
  const one = world.engine({ model: async () => (await door.pass(), callTools(['note'])) })
  const watchers = new Watchers(one.db)
  const context = { ...world.missions, watchers, engine: one.engine }
  // Enough for a busy machine to create it and to ask the model in: with no time left, it is handed over at once.
  const { mission } = await createAndWait(context, world.caller, request, 1_500)
  expect(mission).toMatchObject({ status: 'running', lastSeq: 2 })
  expect(await world.row(mission.id)).toMatchObject({ owner: one.instance, epoch: 1 })
  door.open()
  await until(async () => (await world.row(mission.id)).owner === null)
  expect(await world.types(mission.id)).toEqual(['mission.created', 'mission.started', 'model.answered'])
  expect(await world.row(mission.id)).toMatchObject({ status: 'running', epoch: 1 })
  expect(one.wakes.sent).toEqual([{ missionId: mission.id, inSeconds: 0 }])
})

it('goes the usual way where the instance has no room', async () => {
  world = await createWorld()
  const door = gate()
  const busy = world.engine({ concurrency: 1, model: async () => (await door.pass(), say('Done')) })
  await world.create('first')
  const running = busy.engine.runOne()
  await door.reached
  const context = { ...world.missions, watchers: new Watchers(busy.db), engine: busy.engine }
  const waiting = createAndWait(context, world.caller, request, 20_000)
  const queued = await until(async () => (await world.sql('select from taskforce.missions')).length === 2)
  expect(queued).toBeUndefined()
  const [row] = await world.sql<{ id: string }>(`select id from taskforce.missions where status = 'queued'`)
  expect(await world.row(row?.id ?? '')).toMatchObject({ owner: null, epoch: 0 })
  door.open()
  await running
  expect(await busy.run()).toEqual(['ended'])
  expect((await waiting).mission).toMatchObject({ id: row?.id, status: 'completed' })
})

it('gives the mission that was created, and no refusal, where it can not be watched', async () => {
  world = await createWorld()
  const context = { ...world.missions, watchers: new Watchers(world.missions.databases.engine, 0), engine: { reserve } }
  const { mission } = await createAndWait(context, world.caller, request, 20_000)
  expect(mission).toMatchObject({ status: 'queued' })
  expect(await world.row(mission.id)).toMatchObject({ status: 'queued' })
})

/** Of an instance without room. */
const reserve = () => Promise.resolve(undefined)
