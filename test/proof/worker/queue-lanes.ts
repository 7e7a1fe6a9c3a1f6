import { setTimeout as delay } from 'node:timers/promises'
import type { DequeuedMessageItem, QueueClient } from '@azure/storage-queue'
import { takeUpPoisoned } from '../../../src/engine/poisoned-wake.ts'
import { wakeSchema } from '../../../src/engine/queue-wakes.ts'
import { holdMessage } from '../../../src/local/host/queue-lease.ts'
import type { Parts } from './parts.ts'
import type { Said, WorkerSettings } from './settings.ts'

/** `maxDequeueCount` of host.json. */
const MOST_TRIES = 5

export interface QueueLanes {
  /** Takes no more messages, and waits for those that it has. */
  stop(): Promise<void>
}

/**
 * Consumes the queue of wakes as the Functions host does, and the handler of `run-mission` in it: a message stays hidden
 * while it is worked on, is deleted after that, and becomes visible again where the work failed. After five tries it is
 * what `run-mission-poison` would take up.
 */
export function startLanes(parts: Parts, settings: WorkerSettings, say: (said: Said) => void): QueueLanes {
  const stopping = new AbortController()
  const held = new Set<Promise<void>>()
  const consumer: Consumer = { parts, settings, say, held, signal: stopping.signal }
  const polling = poll(consumer)
  return {
    async stop() {
      stopping.abort()
      await polling
      await Promise.all(held)
    },
  }
}

interface Consumer {
  parts: Parts
  settings: WorkerSettings
  say: (said: Said) => void
  held: Set<Promise<void>>
  signal: AbortSignal
}

async function poll(consumer: Consumer): Promise<void> {
  const { settings, held, signal } = consumer
  while (!signal.aborted) {
    const room = settings.lanes - held.size
    const taken =
      room === 0 ? 0 : await take(consumer, Math.min(room, 32)).catch((error: unknown) => told(consumer, error))
    if (room === 0) await Promise.race(held)
    else if (taken === 0) await delay(settings.pollMs, undefined, { signal }).catch(() => undefined)
  }
}

/** The storage may be away, and is asked again. */
function told({ say }: Consumer, error: unknown): number {
  say({ said: 'told', what: 'queueFailed', error: nameOf(error) })
  return 0
}

async function take(consumer: Consumer, most: number): Promise<number> {
  const { parts, settings, held } = consumer
  const queue = await parts.connect()
  const { receivedMessageItems: messages } = await queue.receiveMessages({
    numberOfMessages: most,
    visibilityTimeout: Math.ceil(settings.invisibleMs / 1000),
  })
  for (const message of messages) {
    const work = workOn(consumer, queue, message)
      .catch((error: unknown) => void told(consumer, error))
      .finally(() => held.delete(work))
    held.add(work)
  }
  return messages.length
}

async function workOn(consumer: Consumer, queue: QueueClient, message: DequeuedMessageItem): Promise<void> {
  const { settings, signal } = consumer
  const lease = holdMessage(queue, message, settings.invisibleMs, (error) => void told(consumer, error))
  try {
    const isDone = message.dequeueCount <= MOST_TRIES && (await tryOnce(consumer, message))
    await lease.stop()
    if (isDone) return await lease.remove()
    // A worker that stops has done nothing with it.
    if (signal.aborted) return await lease.release(0)
    if (message.dequeueCount < MOST_TRIES) return
    await takeUpPoisoned({ ...consumer.parts, db: consumer.parts.databases.engine }, parse(message))
    await lease.remove()
  } finally {
    await lease.stop()
  }
}

async function tryOnce({ parts, say }: Consumer, message: DequeuedMessageItem): Promise<boolean> {
  try {
    wakeSchema.parse(parse(message))
    const ran = await parts.engine.runOne()
    say({ said: 'slice', missionId: ran?.missionId, end: ran?.end })
    return true
  } catch (error) {
    say({ said: 'told', what: 'runFailed', error: nameOf(error) })
    return false
  }
}

function parse({ messageText }: DequeuedMessageItem): unknown {
  return JSON.parse(Buffer.from(messageText, 'base64').toString())
}

/** The code where there is one, else the class; texts may hold addresses. */
export function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name
}
