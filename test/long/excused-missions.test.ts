import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { beat } from '../../src/db/queries/instances.ts'
import { systemClock } from '../../src/engine/system-clock.ts'
import { createTelemetry } from '../../src/telemetry/events.ts'
import { createLogger } from '../../src/telemetry/logger.ts'
import {
  callTools,
  claimOne,
  createWorld,
  say,
  script,
  until,
  type EngineOptions,
  type TestEngine,
  type World,
} from '../support/engine.ts'
import { holdPolls, pollUntil } from '../support/polls.ts'

let world: World
let id: string

beforeEach(async () => {
  world = await createWorld()
  holdPolls()
  id = await world.create()
  // Begun by an instance that died, so that no claim has an event to write any more.
  await claimOne(world.missions.databases.engine, randomUUID())
})
afterEach(async () => {
  vi.useRealTimers()
  await world.stop()
})

/** Claims pass, and every event is refused with this SQLSTATE. */
async function refuseEvents(sqlState: string): Promise<{ end(): Promise<void> }> {
  await world.sql(`
    create function public.refuse() returns trigger language plpgsql as
      $$begin raise exception using errcode = '${sqlState}', message = 'refused by the test'; end$$;
    create trigger refuse before insert on taskforce.events for each row execute function public.refuse()`)
  return { end: async () => void (await world.sql('drop trigger refuse on taskforce.events')) }
}

/** An engine that has no patience: it tries as often as the real one, without the pauses. */
function impatient(options: EngineOptions = {}): TestEngine {
  return world.engine({ clock: { ...systemClock, sleep: async () => undefined }, ...options })
}

describe('a database that fails for longer than the patience lasts', () => {
  it.each([
    ['whose disk is full', '53100'],
    ['that waits for a lock in vain', '55P03'],
    ['that denies a right', '42501'],
    ['with a broken disk', '58030'],
  ])('and %s counts as no crash, however often', async (_, sqlState) => {
    const fault = await refuseEvents(sqlState)
    const one = impatient()
    for (let round = 1; round <= 6; round++) {
      await expect(one.engine.runOne()).rejects.toMatchObject({ code: sqlState })
      await pollUntil(async () => (await world.row(id)).owner === null)
      await world.letTimePass(id, 600_000)
    }
    await fault.end()
    expect(await one.run()).toEqual(['ended'])
    // The one is that of the instance that began it.
    expect(await world.row(id)).toMatchObject({ status: 'completed', crashes: 1 })
  })

  it('lets the mission rest for 10 s before anybody tries it again', async () => {
    await refuseEvents('53100')
    const one = impatient()
    await expect(one.engine.runOne()).rejects.toThrow('refused by the test')
    await pollUntil(() => one.wakes.sent.length > 0)
    expect(one.wakes.sent).toEqual([{ missionId: id, inSeconds: 10 }])
    expect(await world.row(id)).toMatchObject({ status: 'running', owner: null })
    expect(await one.engine.runOne()).toBeUndefined()
    await world.letTimePass(id, 10_000)
    await expect(one.engine.runOne()).rejects.toThrow('refused by the test')
  })

  it('lets the mission rest longer each time, and tells so from the third time on', async () => {
    await refuseEvents('53100')
    let asked = 0
    const one = impatient({ model: () => (asked++, say('Done')) })
    for (const rest of [10, 20, 40, 80, 160, 320, 600, 600]) {
      await expect(one.engine.runOne()).rejects.toThrow('refused by the test')
      await pollUntil(async () => (await world.row(id)).owner === null)
      const { wakeInMs } = await world.row(id)
      expect(Math.round((wakeInMs ?? 0) / 10_000) * 10).toBe(rest)
      await world.letTimePass(id, rest * 1000)
    }
    expect(asked).toBe(8)
    // What rests for longer is left to the sweep.
    expect(one.wakes.sent.map(({ inSeconds }) => inSeconds)).toEqual([10, 20, 40, 80])
    const told = one.told.missionHeldUp?.map(([about]) => about) ?? []
    expect(told.map(({ times }) => times)).toEqual([3, 4, 5, 6, 7, 8])
    expect(told[0]).toMatchObject({ missionId: id, nextTryInSeconds: 40, error: { message: 'refused by the test' } })
  })

  it('lets it rest for 10 s again after a slice in which the database did its work', async () => {
    const fault = await refuseEvents('53100')
    const one = impatient({ model: script(callTools(['wait', { seconds: 3600 }])) })
    for (const rest of [10, 20]) {
      await expect(one.engine.runOne()).rejects.toThrow('refused by the test')
      await pollUntil(() => one.wakes.sent.at(-1)?.inSeconds === rest)
      await world.letTimePass(id, rest * 1000)
    }
    await fault.end()
    expect(await one.run()).toEqual(['waiting'])
    await world.sql(
      'create trigger refuse before insert on taskforce.events for each row execute function public.refuse()',
    )
    await world.letTimePass(id, 3_600_000)
    await expect(one.engine.runOne()).rejects.toThrow('refused by the test')
    await pollUntil(() => one.wakes.sent.length === 3)
    expect(one.wakes.sent.at(-1)).toEqual({ missionId: id, inSeconds: 10 })
    expect(one.told.missionHeldUp).toBeUndefined()
  })

  it('is told under a name of its own, with the mission and the next try', () => {
    const lines: string[] = []
    const destination = { write: (line: string) => void lines.push(line) }
    const telemetry = createTelemetry(createLogger({ level: 'info', secrets: [], destination }))
    telemetry.missionHeldUp({ missionId: id, times: 3, nextTryInSeconds: 40, error: new Error('disk full') })
    expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { event: 'agent.mission.held_up', level: 'error', session_id: id, times: 3, nextTryInSeconds: 40 },
    ])
  })

  it('counts as no crash where the instance ends before it could give the mission up', async () => {
    await refuseEvents('53100')
    const one = impatient()
    await expect(one.engine.runOne()).rejects.toThrow('refused by the test')
    await one.engine.drain()
    expect(one.wakes.sent).toEqual([{ missionId: id, inSeconds: 10 }])
    await world.letTimePass(id, 10_000)
    expect(await claimOne(one.db, randomUUID())).toMatchObject({ missionId: id, crashes: 1 })
  })

  it('keeps an idle instance awake until it could give the mission up', async () => {
    await refuseEvents('53100')
    let away = true
    let skipped = 0
    const one = impatient({
      over: ({ clock, missions }) => ({
        clock: { ...clock, monotonic: () => clock.monotonic() + skipped },
        missions: { ...missions, poll: () => (away ? Promise.reject(new Error('away')) : missions.poll()) },
      }),
    })
    await expect(one.engine.runOne()).rejects.toThrow('refused by the test')
    skipped = 60_000
    vi.advanceTimersByTime(10_000)
    away = false
    await pollUntil(() => one.wakes.sent.length > 0)
    expect(one.wakes.sent).toEqual([{ missionId: id, inSeconds: 10 }])
  })
})

it('a mission that another instance took over meanwhile keeps nobody awake', async () => {
  await refuseEvents('53100')
  let skipped = 0
  const one = impatient({
    over: ({ clock }) => ({ clock: { ...clock, monotonic: () => clock.monotonic() + skipped } }),
  })
  await expect(one.engine.runOne()).rejects.toThrow('refused by the test')
  const other = randomUUID()
  await beat(one.db, { id: other, version: '0', host: 'test' }, 60)
  await world.sql('update taskforce.missions set owner = $1, epoch = epoch + 1', [other])
  const polls = () => one.statements.filter((name) => name === 'control_poll').length
  await pollUntil(() => polls() === 2)
  await until(() => {
    skipped += 60_000
    const before = polls()
    vi.advanceTimersByTime(10_000)
    return polls() === before
  })
  expect(one.wakes.sent).toEqual([])
})

describe('counts as a crash all the same', () => {
  it('what the database refuses for what is in it', async () => {
    const fault = await refuseEvents('22P05')
    const one = impatient()
    await expect(one.engine.runOne()).rejects.toMatchObject({ code: '22P05' })
    await pollUntil(() => one.wakes.sent.length > 0)
    await fault.end()
    expect(await claimOne(one.db, randomUUID())).toMatchObject({ missionId: id, crashes: 2 })
  })

  it("a defect whose error looks like a database's", async () => {
    const one = impatient({
      model: () => {
        throw Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' })
      },
    })
    await expect(one.engine.runOne()).rejects.toThrow('socket hang up')
    await pollUntil(() => one.wakes.sent.length > 0)
    expect(one.wakes.sent).toEqual([{ missionId: id, inSeconds: 0 }])
    const next = world.engine({ model: () => say('Done') })
    expect(await claimOne(next.db, next.instance)).toMatchObject({ missionId: id, crashes: 2 })
  })
})
