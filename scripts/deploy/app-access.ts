import type { Clock } from '../../src/engine/ports.ts'
import type { Session } from './session.ts'
import type { AppAccess } from './smoke-request.ts'
import type { Target } from './target.ts'

/** The app of an environment, asked until this run is to end. */
export function accessTo({ clock, log, stopping }: Session, { apiUrl: url }: Target, apiKey: string): AppAccess {
  return { url, apiKey, clock: endingWith(clock, stopping.signal), log }
}

/** A clock whose sleepers end, with the reason, when the run is to end. */
function endingWith(clock: Clock, stop: AbortSignal): Clock {
  return {
    monotonic: clock.monotonic,
    sleep: async (ms) => {
      await clock.sleep(ms, stop)
      stop.throwIfAborted()
    },
  }
}
