import type { Action } from '../domain/decide.ts'
import type { MissionState } from '../domain/state.ts'
import { summarise } from '../domain/summary.ts'
import type { Transition } from './ports.ts'

/** The row's change when a journal has ended: nobody owns the mission any more, and nothing wakes it. */
export function endTransition(state: MissionState): Transition {
  const status = state.outcome?.status ?? 'failed'
  return { status, wakeInSeconds: null, release: true, ended: true, summary: summarise(state) }
}

/** @param now milliseconds since 1970 by the database's clock */
export function waitTransition(
  state: MissionState,
  action: Extract<Action, { do: 'wait' | 'pause' }>,
  now: number,
): Transition {
  if (action.do === 'pause') return { status: 'paused', wakeInSeconds: null, release: true, summary: summarise(state) }
  const wakeInSeconds = Math.max(0, (action.waiting.wakeAt - now) / 1000)
  return { status: 'waiting', wakeInSeconds, release: true, summary: summarise(state, action.waiting) }
}

/** Between two slices a mission stays `running`: it can move at once, and only waits for an instance with room. */
export function handOverTransition(state: MissionState): Transition {
  return { status: 'running', wakeInSeconds: 0, release: true, summary: summarise(state) }
}
