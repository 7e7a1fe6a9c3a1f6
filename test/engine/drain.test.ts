import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { systemClock } from '../../src/engine/system-clock.ts'
import { callTools, createWorld, gate, script, tool, type World } from '../support/engine.ts'
import { holdPolls, pollUntil } from '../support/polls.ts'
import { withConnection } from '../support/postgres.ts'

let world: World
const door = gate()

beforeEach(async () => {
  world = await createWorld([tool('slow', async () => (await door.pass(), 'slow'))])
})
afterEach(async () => {
  vi.useRealTimers()
  await world.stop()
})

/** What it rejects with; heard from the start, since it may reject before anybody waits for it. */
function reasonOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  )
}

describe('a permit at an instance that stops', () => {
  it('comes again where it waited for room', async () => {
    const [first, second] = [await world.create('first'), await world.create('second')]
    const one = world.engine({ concurrency: 1, model: script(callTools(['slow'])) })
    const running = one.engine.runOne()
    await door.reached
    const refused = reasonOf(one.engine.runOne())
    await one.engine.drain()
    expect(await running).toEqual({ missionId: first, end: 'handed-over' })
    expect(await refused).toMatchObject({ name: 'Stopped', why: 'drain' })
    expect(await world.row(second)).toMatchObject({ status: 'queued', epoch: 0 })
  })

  it('comes again where it looked for a mission whose row was locked, and claims nothing more', async () => {
    const id = await world.create()
    let claims = 0
    const one = world.engine({
      over: ({ missions }) => ({
        clock: { ...systemClock, sleep: async () => void drained.push(one.engine.drain()) },
        missions: { ...missions, claim: (most, suspect) => (claims++, missions.claim(most, suspect)) },
      }),
    })
    const drained: Promise<void>[] = []
    await withConnection(world.database.ownerUrl, async (other) => {
      await other.query('begin')
      await other.query('select 1 from taskforce.missions where id = $1 for update', [id])
      await expect(one.engine.runOne()).rejects.toMatchObject({ why: 'drain' })
      await other.query('rollback')
    })
    await Promise.all(drained)
    expect(claims).toBe(1)
  })

  it('comes again where the last look before the drain found nothing', async () => {
    const claiming = gate()
    const one = world.engine({
      over: ({ missions }) => ({ missions: { ...missions, claim: async () => (await claiming.pass(), []) } }),
    })
    const refused = reasonOf(one.engine.runOne())
    await claiming.reached
    const drained = one.engine.drain()
    claiming.open()
    expect(await refused).toMatchObject({ why: 'drain' })
    await drained
  })

  it('is no failure where it was for orphans', async () => {
    holdPolls()
    const claiming = gate()
    let hold = false
    const one = world.engine({
      over: ({ missions }) => ({
        missions: {
          ...missions,
          claim: async (most, suspect) => (hold ? (await claiming.pass(), []) : missions.claim(most, suspect)),
        },
      }),
    })
    expect(await one.engine.runOne()).toBeUndefined()
    const id = await world.create()
    await world.sql(`update taskforce.missions set owner = gen_random_uuid(), status = 'running' where id = $1`, [id])
    hold = true
    let reached = false
    void claiming.reached.then(() => (reached = true))
    await pollUntil(() => reached)
    const drained = one.engine.drain()
    claiming.open()
    await drained
    expect(one.told.sliceFailed).toBeUndefined()
  })
})
