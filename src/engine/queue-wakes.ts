import { z } from 'zod'
import type { QueueClient } from '@azure/storage-queue'
import type { Wakes } from './ports.ts'

export const wakeSchema = z.object({ missionId: z.uuid() })

/** Wakes as messages of a storage queue: base64, as the Functions host expects them by default. */
export function createQueueWakes(connect: () => Promise<QueueClient>): Wakes {
  let queue: Promise<QueueClient> | undefined
  return {
    async send(missionId, inSeconds) {
      queue ??= connect()
      queue.catch(() => (queue = undefined))
      const message = Buffer.from(JSON.stringify({ missionId })).toString('base64')
      await (await queue).sendMessage(message, { visibilityTimeout: Math.ceil(inSeconds) })
    },
  }
}
