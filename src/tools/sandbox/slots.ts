import { RetryableError } from '../../domain/errors.ts'

/** Lets a few in at a time, in the order in which they came. */
export interface Slots {
  /** Rejects with the signal's reason, and with RetryableError `sandbox_busy` when waiting took too long. */
  run<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T>
}

export function createSlots(count: number, longestWaitMs: number): Slots {
  const waiting: (() => void)[] = []
  let free = count

  async function enter(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (free > 0) {
      free--
      return
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    waiting.push(resolve)
    const leave = (reason: unknown) => {
      const place = waiting.indexOf(resolve)
      // Without a place it was let in a moment ago, and must give its slot on.
      if (place === -1) return
      waiting.splice(place, 1)
      reject(reason)
    }
    const stop = () => leave(signal.reason)
    const timer = setTimeout(() => leave(busy()), longestWaitMs)
    signal.addEventListener('abort', stop, { once: true })
    try {
      await promise
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', stop)
    }
  }

  return {
    async run(signal, work) {
      await enter(signal)
      try {
        return await work()
      } finally {
        const next = waiting.shift()
        if (next) next()
        else free++
      }
    },
  }
}

function busy(): RetryableError {
  return new RetryableError('sandbox_busy', 'Too many scripts are running. Call run_javascript again a little later.')
}
