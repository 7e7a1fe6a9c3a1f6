import type { Failure } from './event.ts'
import { compareUsd } from './money.ts'
import type { MissionState } from './state.ts'

/**
 * The limit that ends a mission now, if any. Checked before each step, so a mission oversteps by one step at most (I14).
 * @param now milliseconds since 1970 by the database's clock
 */
export function limitReached(state: MissionState, now: number): Failure | undefined {
  const { limits, usage, startedAt, deadline, pausedMs } = state
  const tokens = usage.inputTokens + usage.outputTokens
  if (deadline !== undefined && now >= deadline) return reached('deadline', new Date(deadline).toISOString())
  if (startedAt !== undefined && now >= startedAt + limits.wallMs + pausedMs)
    return reached('wallMs', `${limits.wallMs} ms`)
  if (finalAnswerIsThere(state)) return undefined
  if (usage.steps >= limits.steps) return reached('steps', `${limits.steps} steps`)
  if (tokens >= limits.tokens) return reached('tokens', `${limits.tokens} tokens`)
  if (compareUsd(usage.costUsd, limits.costUsd) >= 0) return reached('costUsd', `${limits.costUsd} US dollars`)
  return undefined
}

/**
 * When a mission's time is over, whatever it does: its deadline or its wall time, which stands still in a pause; milliseconds
 * since 1970. Nothing ends a paused mission: its deadline is looked at when it goes on.
 */
export function endOfTime(state: MissionState): number {
  if (state.paused) return Infinity
  const wall = state.startedAt === undefined ? Infinity : state.startedAt + state.limits.wallMs + state.pausedMs
  return Math.min(state.deadline ?? Infinity, wall)
}

/** An answer that was paid for is delivered, even where it used up the limit. */
export function finalAnswerIsThere(state: MissionState): boolean {
  return state.final && state.mailbox.length === 0
}

function reached(limit: string, value: string): Failure {
  return {
    code: `limit_${limit}`,
    message: `The mission reached its limit "${limit}" (${value}).`,
    hint: hintFor(limit),
  }
}

function hintFor(limit: string): string {
  if (limit === 'deadline') return 'Start it again with a later "deadline".'
  return `Give it more with "limits": {"${limit}": …} or in its profile, and retry it: it goes on from here.`
}
