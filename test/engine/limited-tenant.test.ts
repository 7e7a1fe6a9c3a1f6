import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { systemClock } from '../../src/engine/system-clock.ts'
import { cancelMission } from '../../src/missions/cancel-mission.ts'
import {
  callTools,
  createWorld,
  gate,
  say,
  type EngineOptions,
  type Script,
  type TestEngine,
  type World,
} from '../support/engine.ts'
import { holdPolls, pollUntil } from '../support/polls.ts'

let world: World

beforeEach(async () => {
  world = await createWorld()
  holdPolls()
})
afterEach(async () => {
  vi.useRealTimers()
  await world.stop()
})

/** An engine that has no patience, so that a wake that finds nothing is used up at once. */
function impatient(model: Script, over?: EngineOptions['over']): TestEngine {
  return world.engine({ model, over, clock: { ...systemClock, sleep: async () => undefined } })
}

async function limitToOne(): Promise<void> {
  await world.sql('update taskforce.tenants set max_running = 1')
}

/** Uses up each wake as the queue would; how many there were. */
async function follow(one: TestEngine): Promise<number> {
  let followed = 0
  for (; one.wakes.sent.length > 0; followed++) {
    one.wakes.sent.shift()
    await one.engine.runOne()
  }
  return followed
}

/** The first mission at a door in its model, and the permits of two others used up meanwhile. */
async function runFirstOfThree(atTheDoor: Script = () => say('Done')) {
  const door = gate()
  const first = await world.create('first')
  const one = impatient(async (messages, signal) => {
    if (!JSON.stringify(messages).includes('first')) return say('Done')
    await Promise.race([door.pass(), new Promise((resolve) => signal.addEventListener('abort', resolve))])
    return atTheDoor(messages, signal)
  })
  await limitToOne()
  const running = one.engine.runOne()
  await door.reached
  const others = [await world.create('second'), await world.create('third')]
  expect(await Promise.all(others.map(() => one.engine.runOne()))).toEqual([undefined, undefined])
  return { one, first, others, door, running }
}

const statuses = async (ids: string[]) => Promise.all(ids.map(async (id) => (await world.row(id)).status))

describe('a tenant at its limit', () => {
  it('has all its missions run by wakes alone, though each found the only place taken', async () => {
    const { one, first, others, door, running } = await runFirstOfThree()
    expect(one.wakes.sent).toEqual([])
    door.open()
    expect(await running).toMatchObject({ end: 'ended' })
    expect(one.wakes.sent).toEqual([{ missionId: first, inSeconds: 0 }])
    await follow(one)
    expect(await statuses([first, ...others])).toEqual(['completed', 'completed', 'completed'])
    // None is sent for a wake that found nothing.
    expect(one.wakes.sent).toEqual([])
  })

  it('has the next one woken when a mission begins to wait', async () => {
    const { one, first, others, door, running } = await runFirstOfThree(() => callTools(['wait', { seconds: 3600 }]))
    door.open()
    expect(await running).toMatchObject({ end: 'waiting' })
    await follow(one)
    expect(await statuses([first, ...others])).toEqual(['waiting', 'completed', 'completed'])
  })

  it('has the next one woken when a mission is cancelled while it moves', async () => {
    const { one, first, others, running } = await runFirstOfThree()
    await cancelMission(world.missions, world.caller, first, undefined)
    await pollUntil(() => one.wakes.sent.length > 0)
    expect(await running).toMatchObject({ end: 'lost' })
    await follow(one)
    expect(await statuses([first, ...others])).toEqual(['cancelled', 'completed', 'completed'])
  })

  it('has the next one woken when a mission ended and nobody learned of it', async () => {
    const [first, second] = [await world.create('first'), await world.create('second')]
    await limitToOne()
    let lost = false
    const one = impatient(
      () => say('Done'),
      ({ journal }) => ({
        journal: {
          ...journal,
          append: async (...args) => {
            const result = await journal.append(...args)
            if (lost) return result
            lost = true
            throw new Error('the answer was lost')
          },
        },
      }),
    )
    await expect(one.engine.runOne()).rejects.toThrow('the answer was lost')
    await follow(one)
    expect(await statuses([first, second])).toEqual(['completed', 'completed'])
  })

  it("is not held up by a mission that rests for the database's sake", async () => {
    const first = await world.create('first')
    await limitToOne()
    await world.sql(`
      create function public.refuse() returns trigger language plpgsql as
        $$begin raise exception using errcode = '53100', message = 'refused by the test'; end$$;
      create trigger refuse before insert on taskforce.events for each row
        when (new.mission_id = '${first}' and new.type = 'model.answered') execute function public.refuse()`)
    const one = impatient(() => say('Done'))
    await expect(one.engine.runOne()).rejects.toThrow('refused by the test')
    const second = await world.create('second')
    // Its own place is only free when it is given up.
    await follow(one)
    expect(await statuses([second])).toEqual(['queued'])
    await pollUntil(() => one.wakes.sent.length === 2)
    expect(one.wakes.sent).toEqual([
      { missionId: first, inSeconds: 10 },
      { missionId: first, inSeconds: 0 },
    ])
    await follow(one)
    expect(await statuses([first, second])).toEqual(['running', 'completed'])
  })
})

it('a mission that is handed over sends one wake, which is for whoever is next', async () => {
  const id = await world.create()
  await limitToOne()
  const one = world.engine({ sliceMs: 0 })
  expect(await one.engine.runOne()).toEqual({ missionId: id, end: 'handed-over' })
  expect(one.wakes.sent).toEqual([{ missionId: id, inSeconds: 0 }])
})

it('a tenant without a limit costs no wake of its own', async () => {
  await world.create()
  const one = impatient(() => say('Done'))
  expect(await one.run()).toEqual(['ended'])
  expect(one.wakes.sent).toEqual([])
})
