import { Random } from './random.ts'
import type { World } from './world.ts'

const FIRST_MS = 2_000
const MOST = 4

type Strike = (world: World, random: Random, forMs: number) => void

/** What befalls a process, the database or the queue as a whole. */
const STRIKES: Record<string, { longestMs: number; strike: Strike }> = {
  kill: { longestMs: 0, strike: (world, random) => one(world, random, ({ actor }) => world.kill(actor, 'SIGKILL')) },
  'kill all': {
    longestMs: 0,
    strike: (world) => world.living.forEach(({ actor }) => world.kill(actor, 'SIGKILL of all')),
  },
  /** Longer than a lease, mostly. */
  freeze: {
    longestMs: 90_000,
    strike: (world, random, forMs) => one(world, random, (instance) => world.freeze(instance, forMs)),
  },
  drain: { longestMs: 0, strike: (world, random) => one(world, random, (instance) => instance.drain()) },
  'database away': {
    longestMs: 60_000,
    strike: (world, random, forMs) => {
      world.server.state = 'away'
      const readOnlyMs = random.int(0, 10_000)
      world.scheduler.after(forMs, undefined, () => (world.server.state = 'read-only'))
      world.scheduler.after(forMs + readOnlyMs, undefined, () => (world.server.state = 'up'))
    },
  },
  'queue away': {
    longestMs: 60_000,
    strike: (world, _, forMs) => {
      world.queue.away = true
      world.scheduler.after(forMs, undefined, () => (world.queue.away = false))
    },
  },
}

const CUT_OFF = 0.3
/** The connections of one instance are dead, longer than its lease mostly, and it learns of it by itself alone. */
const LONGEST_CUT_MS = 90_000

/** Plans what strikes until `endMs`; all of it is over by then. */
export function unleash(world: World, seed: number, endMs: number): void {
  const random = new Random(seed, 'nemesis')
  const count = random.int(0, MOST)
  cutOneOff(world, seed, endMs)
  for (let n = 0; n < count; n++) {
    const kind = random.pick(Object.keys(STRIKES))
    const { longestMs, strike } = STRIKES[kind] as (typeof STRIKES)[string]
    const atMs = random.int(FIRST_MS, endMs - 1)
    const forMs = Math.min(random.int(0, longestMs), endMs - atMs - 1)
    const own = new Random(seed, `strike ${n}`)
    world.scheduler.after(atMs, undefined, () => {
      if (!world.faults.happens(`n${n}`, kind, `at ${atMs} ms for ${forMs} ms`)) return
      world.trace(undefined, `${kind} for ${forMs} ms`)
      const from = world.scheduler.now
      if (kind.endsWith('away')) world.faultLog.push({ kind, at: from, until: from + forMs })
      strike(world, own, forMs)
    })
  }
}

function cutOneOff(world: World, seed: number, endMs: number): void {
  const random = new Random(seed, 'cut off')
  if (!random.chance(CUT_OFF)) return
  const atMs = random.int(FIRST_MS, endMs - 1)
  const forMs = Math.min(random.int(0, LONGEST_CUT_MS), endMs - atMs - 1)
  world.scheduler.after(atMs, undefined, () => {
    if (!world.faults.happens('cut', 'cut off', `at ${atMs} ms for ${forMs} ms`)) return
    one(world, random, ({ actor }) => {
      world.trace(actor, `is cut off for ${forMs} ms`)
      world.server.cutOff.set(actor, world.scheduler.now + forMs)
      world.scheduler.after(forMs, undefined, () => world.server.cutOff.delete(actor))
    })
  })
}

function one(world: World, random: Random, strike: (instance: World['instances'][number]) => void): void {
  const living = world.living.filter(({ draining }) => !draining)
  if (living.length > 0) strike(random.pick(living))
}
