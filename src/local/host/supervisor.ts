import { setTimeout as sleep } from 'node:timers/promises'
import { settledWithin } from './settled-within.ts'
import type { HostLog, InvocationRequest, TypedData } from './protocol.ts'
import {
  FunctionFailedError,
  type StartedWorker,
  startWorker,
  type WorkerOptions,
  WorkerGoneError,
} from './worker-process.ts'

const firstRestartDelayMs = 100
const longestRestartDelayMs = 5000
/** A worker that lived this long starts the back-off afresh when it dies. */
const healthyAfterMs = 10_000

export type SupervisorOptions = WorkerOptions & { functionTimeoutMs: number; onRestart: (reason: string) => void }

export type Supervisor = {
  /** The first worker, whose registrations the host serves. */
  first: StartedWorker
  /** The worker that runs now; waits up to `waitMs` for a new one, and throws WorkerGoneError after that. */
  current: (waitMs: number) => Promise<StartedWorker>
  /** Runs one invocation with the host's timeout. Throws FunctionFailedError or WorkerGoneError. */
  invoke: (request: InvocationRequest, worker: StartedWorker) => Promise<TypedData | null>
  /** Settles when no invocation runs any more, or after `ms`. */
  drained: (ms: number) => Promise<void>
  stop: (graceMs: number) => Promise<void>
}

/** Keeps one worker running: restarts it after 100 ms, doubling up to 5 s, whatever it died of. */
export async function superviseWorker(options: SupervisorOptions): Promise<Supervisor> {
  const first = await startWorker(options)
  const stopping = new AbortController()
  const running = new Set<Promise<unknown>>()
  let next: Promise<StartedWorker> = Promise.resolve(first)
  const watching = watch()

  async function watch(): Promise<void> {
    let delayMs = firstRestartDelayMs
    let worker = first
    for (;;) {
      const bornAt = Date.now()
      const reason = await worker.ended
      if (stopping.signal.aborted) return
      if (Date.now() - bornAt >= healthyAfterMs) delayMs = firstRestartDelayMs
      const restarting = Promise.withResolvers<StartedWorker>()
      restarting.promise.catch(() => {})
      next = restarting.promise
      const fresh = await restart(options, reason, delayMs, stopping.signal)
      if (!fresh) return restarting.reject(new WorkerGoneError('The host is stopping.'))
      worker = fresh.worker
      delayMs = fresh.nextDelayMs
      restarting.resolve(worker)
      options.onRestart(reason)
    }
  }

  async function current(waitMs: number): Promise<StartedWorker> {
    if (stopping.signal.aborted) throw new WorkerGoneError('The host is stopping.')
    const worker = await settledWithin(next, waitMs)
    if (!worker) throw new WorkerGoneError('The worker is being restarted and is not ready yet.')
    return worker
  }

  async function invoke(request: InvocationRequest, worker: StartedWorker): Promise<TypedData | null> {
    const done = timed(request, worker, options)
    const quiet = done.catch(() => {})
    running.add(quiet)
    void quiet.finally(() => running.delete(quiet))
    return done
  }

  async function stop(graceMs: number): Promise<void> {
    stopping.abort()
    const worker = await next.catch(() => null)
    await worker?.terminate(graceMs)
    await watching
  }

  return {
    first,
    current,
    invoke,
    drained: async (ms) => void (await settledWithin(Promise.all(running), ms)),
    stop,
  }
}

type Fresh = { worker: StartedWorker; nextDelayMs: number }

async function restart(
  options: SupervisorOptions,
  reason: string,
  firstDelayMs: number,
  signal: AbortSignal,
): Promise<Fresh | null> {
  let delayMs = firstDelayMs
  let why = reason
  while (!signal.aborted) {
    const message = `The worker ended (${why}); starting a new one in ${delayMs} ms.`
    options.log({ level: 'error', category: 'Host.Worker', message })
    await sleep(delayMs, undefined, { signal }).catch(() => {})
    delayMs = Math.min(delayMs * 2, longestRestartDelayMs)
    if (signal.aborted) return null
    try {
      return { worker: await startWorker(options), nextDelayMs: delayMs }
    } catch (error) {
      why = (error as Error).message
    }
  }
  return null
}

/** The host kills the worker, with all that runs in it, when an invocation outlives `functionTimeout`. */
async function timed(
  request: InvocationRequest,
  worker: StartedWorker,
  options: SupervisorOptions,
): Promise<TypedData | null> {
  const { functionId, invocationId } = request
  const category = `Function.${functionId}`
  const startedAt = performance.now()
  const timeout = limit(options.functionTimeoutMs, () => {
    const message = `Timeout value of ${options.functionTimeoutMs} ms was exceeded by function '${functionId}'; its worker is killed.`
    options.log({ level: 'error', category, message, invocationId })
    worker.kill()
  })
  try {
    const result = await worker.invoke(request)
    logExecuted(options.log, request, startedAt, null)
    return result
  } catch (error) {
    logExecuted(options.log, request, startedAt, error as Error)
    throw error
  } finally {
    timeout?.[Symbol.dispose]()
  }
}

function limit(ms: number, act: () => void): NodeJS.Timeout | undefined {
  // setTimeout turns anything above 2^31 - 1 ms (24.8 days) into 1 ms.
  return ms < 2 ** 31 ? setTimeout(act, ms) : undefined
}

function logExecuted(log: HostLog, request: InvocationRequest, startedAt: number, error: Error | null): void {
  const { functionId, invocationId } = request
  const outcome = `Id=${invocationId}, Duration=${Math.round(performance.now() - startedAt)}ms`
  const category = `Function.${functionId}`
  if (!error) {
    return log({ level: 'debug', category, message: `Executed '${functionId}' (Succeeded, ${outcome})`, invocationId })
  }
  const detail = error instanceof FunctionFailedError ? error.stack : error.message
  log({ level: 'error', category, message: `Executed '${functionId}' (Failed, ${outcome}) ${detail}`, invocationId })
}
