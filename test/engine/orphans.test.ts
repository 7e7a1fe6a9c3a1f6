import { afterEach, expect, it, vi } from 'vitest'
import { createWorld, until, type World } from '../support/engine.ts'
import { holdPolls, pollUntil } from '../support/polls.ts'

let world: World
afterEach(async () => {
  vi.useRealTimers()
  await world.stop()
})

/** So many missions whose owner does not live; they have no wake. */
async function leaveBehind(missions: number): Promise<string[]> {
  const ids = await Promise.all(Array.from({ length: missions }, (_, n) => world.create(`left ${n}`)))
  await world.sql(`update taskforce.missions set owner = gen_random_uuid(), status = 'running'`)
  return ids
}

const completed = async () => (await world.sql(`select from taskforce.missions where status = 'completed'`)).length

/** An engine with room for three, of whose polls only the first that finds orphans may tell of them. */
async function awakeForOnePoll() {
  const seen = { orphans: 0, claims: 0 }
  const one = world.engine({
    concurrency: 3,
    over: ({ missions }) => ({
      missions: {
        ...missions,
        claim: async (most, suspect) => ((seen.claims += most), missions.claim(most, suspect)),
        poll: async () => {
          const { owned, orphans, draining } = await missions.poll()
          const told = seen.orphans === 0 ? orphans : 0
          seen.orphans += told
          return { owned, orphans: told, draining }
        },
      },
    }),
  })
  await one.run()
  seen.claims = 0
  return { engine: one.engine, seen }
}

it('eight orphans are taken up after one poll by an instance that has room for three', async () => {
  world = await createWorld()
  holdPolls()
  const { seen } = await awakeForOnePoll()
  await leaveBehind(8)
  await pollUntil(() => seen.orphans > 0)
  await until(async () => (await completed()) === 8)
  expect(seen.orphans).toBe(8)
})

it('no more slices are begun for orphans than there were', async () => {
  world = await createWorld()
  holdPolls()
  const { engine, seen } = await awakeForOnePoll()
  await leaveBehind(2)
  await pollUntil(async () => (await completed()) === 2)
  await engine.drain()
  expect(seen).toEqual({ orphans: 2, claims: 2 })
})

it('an idle instance still polls when a lease is over that was renewed as it fell idle', async () => {
  world = await createWorld()
  holdPolls()
  let skipped = 0
  const one = world.engine({
    over: ({ clock }) => ({ clock: { ...clock, monotonic: () => clock.monotonic() + skipped } }),
  })
  await one.run()
  const polls = () => one.statements.filter((name) => name === 'control_poll').length
  const beats = () => one.statements.filter((name) => name === 'instance_beat').length
  await pass(30_000)
  const [id] = await leaveBehind(1)
  await pollUntil(async () => (await world.row(id as string)).status === 'completed')

  // With nothing to do it sleeps in the end.
  await pass(50_000)
  const then = [polls(), beats()]
  await pass(30_000)
  expect([polls(), beats()]).toEqual(then)

  async function pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 2_000) {
      skipped += 2_000
      vi.advanceTimersByTime(2_000)
      await new Promise((resolve) => setTimeout(resolve, 30))
    }
  }
})
