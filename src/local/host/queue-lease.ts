import type { DequeuedMessageItem, QueueClient } from '@azure/storage-queue'
import { isNotFound } from './queue-client.ts'

/** The receipt of a received message and its renewal; every update of a message gives it a new receipt. */
export type MessageLease = {
  /** Stops renewing and waits for a renewal under way. Call before `remove` or `release`. */
  stop: () => Promise<void>
  /** Deletes the message. A message that is gone already is no error. */
  remove: () => Promise<void>
  /** Makes the message visible again after `delayMs`. */
  release: (delayMs: number) => Promise<void>
}

/** Holds a message invisible: renews at half of `invisibilityMs`, as the Functions host does with its 10 minutes. */
export function holdMessage(
  queue: QueueClient,
  message: DequeuedMessageItem,
  invisibilityMs: number,
  onError: (error: Error) => void,
): MessageLease {
  let popReceipt = message.popReceipt
  let renewing: Promise<void> = Promise.resolve()

  async function update(visibleInMs: number): Promise<void> {
    const seconds = Math.ceil(visibleInMs / 1000)
    const answer = await queue.updateMessage(message.messageId, popReceipt, undefined, seconds)
    popReceipt = answer.popReceipt ?? popReceipt
  }

  const timer = setInterval(() => {
    renewing = renewing.then(() => update(invisibilityMs)).catch(onError)
  }, invisibilityMs / 2)

  return {
    stop: async () => {
      clearInterval(timer)
      await renewing
    },
    remove: async () => {
      await queue.deleteMessage(message.messageId, popReceipt).catch(ignoreGone)
    },
    release: async (delayMs) => {
      await update(delayMs).catch(ignoreGone)
    },
  }
}

function ignoreGone(error: unknown): void {
  if (!isNotFound(error)) throw error
}
