import { afterEach, expect, it } from 'vitest'
import { RetryableError } from '../../src/domain/errors.ts'
import type { EngineContext } from '../../src/engine/context.ts'
import { callTools, createWorld, gate, say, tool, type World } from '../support/engine.ts'

let world: World
afterEach(() => world.stop())

const LONGER_THAN_A_LEASE_MS = 3_600_000

type Port = <A extends unknown[], R>(call: (...args: A) => Promise<R>) => (...args: A) => Promise<R>

/** What is asked while the process stands still, with the answer that the model gave before. */
interface Case {
  before: string
  asks: 'look' | 'charge'
  begun: string[]
  change: (context: EngineContext, late: Port) => Partial<EngineContext>
}

const CASES: Case[] = [
  {
    before: 'the profile',
    asks: 'look',
    begun: [],
    change: ({ missions }, late) => ({ missions: { ...missions, profile: late(missions.profile) } }),
  },
  {
    before: "the record of the model's answer",
    asks: 'look',
    begun: ['model'],
    change: ({ journal }, late) => ({ journal: { ...journal, append: late(journal.append) } }),
  },
  {
    before: 'the claim of a call',
    asks: 'charge',
    begun: ['model'],
    change: ({ effects }, late) => ({ effects: { claim: late(effects.claim) } }),
  },
  {
    before: 'the pause before another attempt',
    asks: 'look',
    begun: ['model', 'look'],
    change: ({ clock }, late) => ({ clock: { ...clock, sleep: late(clock.sleep) } }),
  },
]

// As a process does that is thawed: what lies in its sockets is read first, and the timer of its lease fires after that.
it.each(CASES)('begins nothing when its lease ran out while it waited for $before', async ({ asks, begun, change }) => {
  const seen: string[] = []
  const look = tool('look', () => {
    seen.push('look')
    throw new RetryableError('busy', 'Busy')
  })
  world = await createWorld([look, tool('charge', () => (seen.push('charge'), 'charged'), { effect: 'once' })])
  const id = await world.create()
  const answer = gate()
  let skipped = 0
  const late: Port =
    (call) =>
    async (...args) => {
      const given = await call(...args)
      await answer.pass()
      skipped = LONGER_THAN_A_LEASE_MS
      return given
    }
  const one = world.engine({
    sliceMs: 2 * LONGER_THAN_A_LEASE_MS,
    model: () => (seen.push('model'), callTools([asks])),
    over: (context) => {
      const clock = { ...context.clock, monotonic: () => context.clock.monotonic() + skipped }
      return { clock, ...change({ ...context, clock }, late) }
    },
  })
  const running = one.engine.runOne()
  await answer.reached
  await world.expire(one.instance)
  const two = world.engine({ model: () => say('Done by another'), over: () => ({ tools: new Map() }) })
  expect(await two.run()).toEqual(['ended'])
  answer.open()
  expect(await running).toEqual({ missionId: id, end: 'lost' })
  expect(seen).toEqual(begun)
  expect(await world.row(id)).toMatchObject({ status: 'completed', epoch: 2 })
})

// The database took the beat when the old lease was over; another instance may have claimed in between.
it('stops what it does when the answer to its beat is read after the old lease ran out', async () => {
  const begun = gate()
  const aborted = Promise.withResolvers<boolean>()
  let ofTool: AbortSignal | undefined
  const stand = tool('stand', async (_input, { signal }) => {
    ofTool = signal
    await begun.pass()
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
    throw signal.reason
  })
  world = await createWorld([stand])
  await world.create()
  const beating = gate()
  let [beats, skipped] = [0, 0]
  const one = world.engine({
    model: () => callTools(['stand']),
    leaseMs: 6_000,
    over: ({ clock, missions }) => ({
      clock: { ...clock, monotonic: () => clock.monotonic() + skipped },
      missions: {
        ...missions,
        // Nothing but the beat tells.
        poll: () => new Promise(() => undefined),
        beat: async () => {
          if (++beats > 1) await beating.pass()
          await missions.beat()
          // At once, and not when a timer comes to it.
          if (beats > 1) setImmediate(() => aborted.resolve(ofTool?.aborted === true))
        },
      },
    }),
  })
  const running = one.engine.runOne()
  await begun.reached
  begun.open()
  await beating.reached
  skipped = 4_800
  beating.open()
  expect(await aborted.promise).toBe(true)
  expect(await running).toMatchObject({ end: 'lost' })
})
