import { endOfTime } from './limits.ts'
import type { MissionState } from './state.ts'

export interface Waiting {
  kind: 'question' | 'approval' | 'timer' | 'model' | 'budget'
  /** Milliseconds since 1970, database time; absent: until somebody acts. */
  until?: number
  /** When the mission must be looked at again at the latest: `until`, or the end of its time. */
  wakeAt: number
}

/** The latest time that a Date can hold, in the year 275760; `toISOString` throws beyond it. */
const LATEST = 8_640_000_000_000_000

/** For the questions and timers of a mission, whichever comes first. */
export function waitingForCalls(state: MissionState): Waiting {
  const deadlines = state.questions.flatMap(({ deadline }) => deadline ?? [])
  const times = [...state.timers.map(({ until }) => until), ...deadlines]
  return waiting(state, state.questions[0]?.kind ?? 'timer', times.length === 0 ? undefined : Math.min(...times))
}

/**
 * For as long as `until` says, but not beyond the end of the mission's time: a server may ask for a patience of centuries.
 * @param until milliseconds since 1970, of any size; undefined: until somebody acts
 */
export function waiting(state: MissionState, kind: Waiting['kind'], until: number | undefined): Waiting {
  const latest = Math.min(endOfTime(state), LATEST)
  return {
    kind,
    until: until === undefined ? undefined : Math.min(until, latest),
    wakeAt: Math.min(until ?? latest, latest),
  }
}
