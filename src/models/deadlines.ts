import { RetryableError } from '../domain/errors.ts'

/** How long an attempt may take, in milliseconds. */
export interface Deadlines {
  /** DNS, TCP and TLS together. */
  connectMs: number
  /** From the start to the answer's first byte, connecting included. */
  firstByteMs: number
  /** Between two pieces of the answer. Keep-alive comments count as life. */
  betweenChunksMs: number
  /** The whole attempt: keep-alive comments alone must not hold a mission for ever. */
  totalMs: number
}

export const defaultDeadlines: Deadlines = {
  connectMs: 10_000,
  firstByteMs: 60_000,
  betweenChunksMs: 60_000,
  totalMs: 600_000,
}

export interface Attempt {
  /** Aborted with the caller's reason, or with RetryableError `model_timeout`. */
  signal: AbortSignal
  /** Tells that bytes arrived. */
  alive(): void
  /** Clears the timers and aborts `signal`, so that nothing goes on unread; to be called whatever the outcome. */
  close(): void
}

/** Puts one attempt under its deadlines and under the caller's signal; connecting is the transport's own to end. */
export function openAttempt(outer: AbortSignal, deadlines: Omit<Deadlines, 'connectMs'>): Attempt {
  const controller = new AbortController()
  const follow = () => controller.abort(outer.reason)
  const expire = (what: string, ms: number) =>
    controller.abort(new RetryableError('model_timeout', `The model server ${what} within ${ms / 1000} s.`))
  const start = (what: string, ms: number) => setTimeout(expire, ms, what, ms)

  outer.addEventListener('abort', follow, { once: true })
  if (outer.aborted) follow()
  const total = start('did not finish its answer', deadlines.totalMs)
  let silence = start('sent no first byte', deadlines.firstByteMs)
  let started = false

  return {
    signal: controller.signal,
    alive() {
      if (!started) {
        started = true
        clearTimeout(silence)
        silence = start('sent nothing more', deadlines.betweenChunksMs)
      }
      silence.refresh()
    },
    close() {
      clearTimeout(total)
      clearTimeout(silence)
      outer.removeEventListener('abort', follow)
      controller.abort()
    },
  }
}

/** A signal that follows another one, and is aborted when its own time is up. */
export interface Limited {
  signal: AbortSignal
  isOver(): boolean
  /** To be called whatever the outcome: the other signal lives longer. */
  close(): void
}

/** By hand: AbortSignal.any and AbortSignal.timeout enrol every signal with the garbage collector, 8 µs a call for 2. */
export function limitTime(outer: AbortSignal, ms: number): Limited {
  const controller = new AbortController()
  let over = false
  const follow = () => controller.abort(outer.reason)
  outer.addEventListener('abort', follow, { once: true })
  if (outer.aborted) follow()
  const timer = setTimeout(() => {
    over = true
    controller.abort(new DOMException('The time is up', 'TimeoutError'))
  }, ms)
  return {
    signal: controller.signal,
    isOver: () => over,
    close() {
      clearTimeout(timer)
      outer.removeEventListener('abort', follow)
    },
  }
}

/** `work`, or a rejection with the signal's reason as soon as there is one: for what does not watch the signal itself. */
export async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>()
  const abort = () => aborted.reject(signal.reason as Error)
  signal.addEventListener('abort', abort, { once: true })
  if (signal.aborted) abort()
  try {
    return await Promise.race([work, aborted.promise])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
