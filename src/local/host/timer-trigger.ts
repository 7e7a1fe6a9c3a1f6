import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TimerFunction } from './index-functions.ts'
import type { HostLog, InvocationRequest } from './protocol.ts'
import type { Supervisor } from './supervisor.ts'
import { traceContext } from './trace-context.ts'

/** setTimeout counts in 31 bits; longer waits are made of pieces of a day. */
const longestSleepMs = 86_400_000

type Status = { last: Date | null; next: Date; lastUpdated: Date }

/**
 * Runs a timer function until `signal` aborts; settles when its last run has ended. Runs never overlap, because the next occurrence is
 * computed after completion, and a failed run is not repeated (TimerListener.cs). Nothing is kept over a restart of the host, so
 * `isPastDue` is always false here; on Azure a missed occurrence makes it true once.
 */
export async function runTimer(
  timer: TimerFunction,
  supervisor: Supervisor,
  log: HostLog,
  signal: AbortSignal,
): Promise<void> {
  const status: Status = { last: null, next: timer.next(new Date()), lastUpdated: new Date() }
  if (timer.runOnStartup) await runOnce(timer, status, supervisor, log)
  while (!signal.aborted) {
    const due = timer.next(new Date())
    await sleepUntil(due, signal)
    if (signal.aborted) return
    // The status is the one written after the run before: its `next` is the occurrence that runs now (TimerListener.cs).
    status.next = due
    await runOnce(timer, status, supervisor, log)
    status.last = due
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

async function runOnce(timer: TimerFunction, status: Status, supervisor: Supervisor, log: HostLog): Promise<void> {
  try {
    const worker = await supervisor.current(longestSleepMs)
    await supervisor.invoke(timerRequest(timer, status), worker)
  } catch (error) {
    const message = `The timer run failed and is not repeated; the next one comes as scheduled. ${(error as Error).message}`
    log({ level: 'warning', category: `Function.${timer.functionName}`, message })
  }
}

/** What the host sends for `timerTrigger`: TimerInfo as Newtonsoft writes it, in Pascal case. */
function timerRequest(timer: TimerFunction, status: Status): InvocationRequest {
  const input = {
    Schedule: { AdjustForDST: true },
    ScheduleStatus: hasMonitor(timer)
      ? {
          Last: status.last?.toISOString() ?? '0001-01-01T00:00:00',
          Next: status.next.toISOString(),
          LastUpdated: status.lastUpdated.toISOString(),
        }
      : null,
    IsPastDue: false,
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
