import { setTimeout as delay } from 'node:timers/promises'
import type { Clock } from './ports.ts'

export const systemClock: Clock = {
  monotonic: () => performance.now(),
  sleep: async (ms, signal) => {
    await delay(ms, undefined, { signal }).catch((error: unknown) => {
      if (signal?.aborted !== true) throw error
    })
  },
}
