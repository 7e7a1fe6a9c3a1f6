import { setTimeout as delay } from 'node:timers/promises'
import { RetryableError } from '../domain/errors.ts'

export interface RetryPolicy {
  /** Attempts in all, the first one included. */
  attempts: number
  /** Milliseconds before the second attempt; doubles from there. */
  baseMs: number
  /** A server that asks for a longer wait than this, in milliseconds, is not waited for here. */
  longestWaitMs: number
  random: () => number
  wait: (ms: number, signal: AbortSignal) => Promise<void>
}

export const quickRetries: RetryPolicy = {
  attempts: 3,
  baseMs: 500,
  longestWaitMs: 10_000,
  random: Math.random,
  wait: (ms, signal) => delay(ms, undefined, { signal }),
}

/**
 * Repeats `run` after a RetryableError, a few times and only with short waits: a slice of a mission is paid while it
 * waits, so a long Retry-After goes to the caller, who parks the mission. Rejects with the last error, or with the signal's reason.
 */
export async function retryQuickly<T>(run: () => Promise<T>, policy: RetryPolicy, signal: AbortSignal): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    signal.throwIfAborted()
    try {
      return await run()
    } catch (error) {
      if (!(error instanceof RetryableError) || attempt >= policy.attempts) throw error
      if ((error.retryAfterMs ?? 0) > policy.longestWaitMs) throw error
      await waitFor(retryDelayMs(error.retryAfterMs, attempt, policy), policy, signal)
    }
  }
}

/**
 * Milliseconds to wait after failed attempt number `attempt` (from 1). Never less than the server asked for; up to a
 * fifth more, so that 32 missions told the same time don't come back together.
 */
export function retryDelayMs(retryAfterMs: number | undefined, attempt: number, policy: RetryPolicy): number {
  if (retryAfterMs !== undefined) return Math.round(retryAfterMs * (1 + policy.random() / 5))
  const ceiling = policy.baseMs * 2 ** (attempt - 1)
  return Math.round(ceiling / 2 + (policy.random() * ceiling) / 2)
}

async function waitFor(ms: number, policy: RetryPolicy, signal: AbortSignal): Promise<void> {
  try {
    await policy.wait(ms, signal)
  } catch (error) {
    signal.throwIfAborted()
    throw error
  }
}
