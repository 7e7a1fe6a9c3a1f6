import type { Clock } from '../../src/engine/ports.ts'
import type { DeployLog } from './deploy-log.ts'
import { smokeFailed } from './smoke-failed.ts'

/** What one attempt came to: what was asked for, or why it is not there yet. */
export type Attempt<T> = { value: T } | { notYet: string; retryAfterMs?: number | undefined }

/** After a restart, single answers are lost for about a minute. */
const PATIENCE_MS = 60_000
const WAITS_MS = [1_000, 2_000, 5_000, 10_000, 15_000, 30_000]

/**
 * Tries again for about a minute, and as late as a server asks for, a minute at most.
 * Throws TerminalError `smoke_failed` with the reason of the last attempt.
 */
export async function patiently<T>(
  { clock, log }: { clock: Clock; log: DeployLog },
  attempt: () => Promise<Attempt<T>>,
): Promise<T> {
  const begun = clock.monotonic()
  const waits = [...WAITS_MS]
  for (;;) {
    const outcome = await attempt()
    if ('value' in outcome) return outcome.value
    const wait = waits.shift()
    if (wait === undefined || clock.monotonic() - begun >= PATIENCE_MS) throw smokeFailed(outcome.notYet)
    const pause = Math.min(Math.max(wait, outcome.retryAfterMs ?? 0), PATIENCE_MS)
    log.write(`${outcome.notYet}: once more in ${pause / 1000} s`)
    await clock.sleep(pause)
  }
}
