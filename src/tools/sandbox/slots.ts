import { RetryableError } from '../../domain/errors.ts'

/** Lets a few in at a time, in the order in which they came. */
export interface Slots {
  /** Rejects with the signal's reason, and with RetryableError `sandbox_busy` when waiting took too long. */
  run<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T>
}

export function createSlots(count: number, longestWaitMs: number): Slots {
  const line: (() => void)[] = []
  let free = count

  async function enter(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (free > 0) free--
    else await turnIn(line, signal, longestWaitMs)
  }

  /** A slot goes from hand to hand; only with nobody in line is it free. */
  function leave(): void {
    const next = line.shift()
    if (next) next()
    else free++
  }

  return {
    async run(signal, work) {
      await enter(signal)
      try {
        return await work()
      } finally {
        leave()
      }
    },
  }
}

/** Joins the line, and waits to be handed a slot. */
async function turnIn(line: (() => void)[], signal: AbortSignal, longestWaitMs: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  line.push(resolve)
  const giveUp = (reason: unknown) => {
    const place = line.indexOf(resolve)
    // Without a place it was handed a slot a moment ago, and must give that on.
    if (place === -1) return
    line.splice(place, 1)
    reject(reason)
  }
  const stop = () => giveUp(signal.reason)
  const timer = setTimeout(() => giveUp(busy()), longestWaitMs)
  signal.addEventListener('abort', stop, { once: true })
  try {
    await promise
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', stop)
  }
}

function busy(): RetryableError {
  return new RetryableError('sandbox_busy', 'Too many scripts are running. Call run_javascript again a little later.')
}
