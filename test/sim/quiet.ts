import type { Violation } from '../proof/history.ts'
import type { World } from './world.ts'

/** A lease, three polls, and the next beat: then an instance that has nothing to do says no more that it lives. */
const FALLS_ASLEEP_MS = 48_000
const LISTENED_MS = 40_000

/** Looks whether everybody sleeps once there is nothing left to do: a heartbeat that never stops is a bill that never stops. */
export async function quiet(world: World): Promise<Violation[]> {
  const { scheduler, server, queue } = world
  const rest = scheduler.now
  await scheduler.run(rest + FALLS_ASLEEP_MS + LISTENED_MS, () => false)
  // A wake that was late has woken somebody.
  const since = Math.max(rest, queue.handedOutAt) + FALLS_ASLEEP_MS
  const awake = server.beatenAt > since ? 'beats' : server.polledAt > since ? 'polls' : undefined
  if (awake === undefined) return []
  return [{ invariant: 'rest', counts: 'illegal', what: `An instance still ${awake} when there is nothing to do.` }]
}
