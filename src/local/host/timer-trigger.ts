import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TimerFunction } from './index-functions.ts'
import type { HostLog, InvocationRequest } from './protocol.ts'
import type { Supervisor } from './supervisor.ts'
import type { TimerStatus, TimerStatuses } from './timer-status.ts'
import { traceContext } from './trace-context.ts'

/** setTimeout counts in 31 bits; longer waits are made of pieces of a day. */
const longestSleepMs = 86_400_000

type Runner = { supervisor: Supervisor; log: HostLog; statuses: TimerStatuses }

/**
 * Runs a timer function until `signal` aborts; settles when its last run has ended. Runs never overlap, because the next occurrence is
 * computed after completion, and a failed run is not repeated (TimerListener.cs). Occurrences that were missed while no host ran
 * collapse into one run at the start, with `isPastDue`.
 */
export async function runTimer(timer: TimerFunction, runner: Runner, signal: AbortSignal): Promise<void> {
  const known = hasMonitor(timer) ? runner.statuses.read(timer.functionName) : undefined
  const pastDue = known !== undefined && known.next.getTime() < Date.now()
  const status = known ?? { last: null, next: timer.next(new Date()), lastUpdated: new Date() }
  if (pastDue || timer.runOnStartup) await runOnce(timer, status, pastDue, runner)
  for (;;) {
    // The status that a run sees is the one written after the run before: its `next` is the run itself (TimerListener.cs).
    status.next = timer.next(new Date())
    if (hasMonitor(timer)) runner.statuses.write(timer.functionName, status)
    await sleepUntil(status.next, signal)
    if (signal.aborted) return
    await runOnce(timer, status, false, runner)
    status.last = status.next
    status.lastUpdated = new Date()
  }
}

async function sleepUntil(due: Date, signal: AbortSignal): Promise<void> {
  for (;;) {
    const leftMs = due.getTime() - Date.now()
    if (leftMs <= 0 || signal.aborted) return
    await sleep(Math.min(leftMs, longestSleepMs), undefined, { signal }).catch(() => {})
  }
}

async function runOnce(timer: TimerFunction, status: TimerStatus, pastDue: boolean, runner: Runner): Promise<void> {
  const { supervisor, log } = runner
  try {
    const worker = await supervisor.current(longestSleepMs)
    await supervisor.invoke(timerRequest(timer, status, pastDue), worker)
  } catch (error) {
    const message = `The timer run failed and is not repeated; the next one comes as scheduled. ${(error as Error).message}`
    log({ level: 'warning', category: `Function.${timer.functionName}`, message })
  }
}

/** What the host sends for `timerTrigger`: TimerInfo as Newtonsoft writes it, in Pascal case. */
function timerRequest(timer: TimerFunction, status: TimerStatus, pastDue: boolean): InvocationRequest {
  const input = {
    Schedule: { AdjustForDST: true },
    ScheduleStatus: hasMonitor(timer)
      ? {
          Last: status.last?.toISOString() ?? '0001-01-01T00:00:00',
          Next: status.next.toISOString(),
          LastUpdated: status.lastUpdated.toISOString(),
        }
      : null,
    IsPastDue: pastDue,
  }
  return {
    invocationId: randomUUID(),
    functionId: timer.functionName,
    inputData: [{ name: timer.bindingName, data: { json: JSON.stringify(input) } }],
    triggerMetadata: {},
    traceContext: traceContext(),
  }
}

/** The schedule monitor turns itself off for intervals under a minute, and then there is no status (TimerListener.cs). */
function hasMonitor(timer: TimerFunction): boolean {
  const first = timer.next(new Date())
  return timer.useMonitor && timer.next(first).getTime() - first.getTime() >= 60_000
}
