import { crashSchema, type Crash } from '../proof/worker/settings.ts'
import type { Scenario } from './mission.ts'

/** How often each port was called, as one worker told it. */
export type Calls = ReadonlyMap<string, number>

/** These come by time, so that how many there are differs from run to run: the first of them are enough. */
const BY_TIME: Readonly<Record<string, number>> = {
  'missions.beat': 3,
  'missions.poll': 1,
  'sql.instance_beat': 3,
  'sql.control_poll': 1,
  'sql.begin_sweep': 1,
  'sql.find_due': 1,
  'sql.forget_dead': 1,
  'sql.forget_old_deltas': 1,
  'sql.forget_unwatched': 1,
}

/** Ports other than the database that may fail, having done nothing or all of it; the engine is told the same. */
const MAY_FAIL = new Set(['wakes.send', 'effects.claim'])

export function isByTime({ port, nth }: Crash): boolean {
  return port in BY_TIME && nth > 1
}

/** `journal.append#7 after` */
export function nameOf({ port, nth, mode }: Crash): string {
  return `${port}#${nth} ${mode}`
}

/** The reverse; undefined for what is no point. */
export function parsePoint(text: string): Crash | undefined {
  const found = /^([\w.]+)#(\d+) ([\w-]+)$/.exec(text.trim())
  return crashSchema.safeParse({ port: found?.[1], nth: Number(found?.[2]), mode: found?.[3] }).data
}

/** Ports of which each call is one statement, or none where the answer is known already. */
const OF_DATABASE = /^(journal|missions|contents|deltas)\./

/** Whether the world is left as by a point of the statement that the call is: who died in the call is all the same. */
export function isSameAsStatement({ port }: Crash): boolean {
  return OF_DATABASE.test(port)
}

/** Every point of these calls: what dies before and after each, and what fails though it was done. */
export function pointsOf(calls: Calls): Crash[] {
  return [...calls].flatMap(([port, times]) => {
    const most = Math.min(times, BY_TIME[port] ?? times)
    return Array.from({ length: most }, (_, index) =>
      modesOf(port).map((mode) => ({ port, nth: index + 1, mode })),
    ).flat()
  })
}

function modesOf(port: string): Crash['mode'][] {
  if (port.startsWith('sql.')) return ['before', 'after', 'answer-lost']
  return MAY_FAIL.has(port) ? ['before', 'after', 'error-before', 'error-after'] : ['before', 'after']
}

/** What is called in one scenario alone. */
const PREVIEWS = new Set(['deltas.store', 'sql.store_deltas'])

export function scenarioOf({ port }: Crash): Scenario {
  return PREVIEWS.has(port) ? 'watched' : 'whole'
}
