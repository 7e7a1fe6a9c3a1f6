import { setTimeout as sleep } from 'node:timers/promises'
import type { DequeuedMessageItem, QueueClient } from '@azure/storage-queue'
import type { QueueSettings } from './host-json.ts'
import type { QueueFunction } from './index-functions.ts'
import type { HostLog, InvocationRequest, LogLevel } from './protocol.ts'
import { isNotFound, openQueue } from './queue-client.ts'
import { holdMessage, type MessageLease } from './queue-lease.ts'
import { decodeBody, queueRequest } from './queue-message.ts'
import type { Supervisor } from './supervisor.ts'
import { WorkerGoneError } from './worker-process.ts'

const shortestPollingIntervalMs = 100
/** How long the poll loop and a message wait for a restarting worker before they look again. */
const workerWaitMs = 60_000

type Context = {
  queue: QueueFunction
  client: QueueClient
  settings: QueueSettings
  invisibilityMs: number
  supervisor: Supervisor
  log: (level: LogLevel, message: string) => void
  signal: AbortSignal
  /** One promise for each message that is being worked on; it settles, never rejecting, when the message is done with. */
  held: Set<Promise<void>>
}

/**
 * Polls the queue of one function until `signal` aborts, with QueueListener.cs's rules: batches while no more than `newBatchThreshold`
 * are in work, a random exponential back-off when the queue is empty, and patience while it does not exist.
 * Settles when the last message that it took is done with. `invisibilityMs` is 10 minutes on Azure.
 */
export function listenToQueue(
  queue: QueueFunction,
  settings: QueueSettings,
  invisibilityMs: number,
  supervisor: Supervisor,
  log: HostLog,
  signal: AbortSignal,
): Promise<void> {
  return poll({
    queue,
    client: openQueue(queue.connectionString, queue.queueName),
    settings,
    invisibilityMs,
    supervisor,
    log: (level, message) => log({ level, category: `Host.Queues.${queue.functionName}`, message }),
    signal,
    held: new Set(),
  })
}

async function poll(context: Context): Promise<void> {
  const { settings, signal, held } = context
  let emptyPolls = 0
  let lastFault = ''
  while (!signal.aborted) {
    const { messages, fault } = await receive(context)
    if (fault && fault !== lastFault) context.log('warning', `Queue '${context.queue.queueName}': ${fault}`)
    lastFault = fault
    if (messages.length === 0) {
      emptyPolls += 1
      await pause(backOffMs(emptyPolls, settings.maxPollingIntervalMs), signal)
      continue
    }
    emptyPolls = 0
    for (const message of messages) hold(context, message)
    while (held.size > settings.newBatchThreshold && !signal.aborted) await nextToEnd(context)
  }
  while (held.size > 0) await Promise.race(held)
}

/** The next message to end, or the host's stop, whichever comes first. */
async function nextToEnd({ held, signal }: Context): Promise<void> {
  const stopped = Promise.withResolvers<void>()
  const stop = () => stopped.resolve()
  signal.addEventListener('abort', stop, { once: true })
  await Promise.race([...held, stopped.promise])
  signal.removeEventListener('abort', stop)
}

async function receive(context: Context): Promise<{ messages: DequeuedMessageItem[]; fault: string }> {
  const { client, settings, invisibilityMs, supervisor, signal } = context
  try {
    // No message may be taken, and its dequeue counted, while there is no worker to run it.
    await supervisor.current(workerWaitMs)
    const { receivedMessageItems } = await client.receiveMessages({
      numberOfMessages: settings.batchSize,
      visibilityTimeout: Math.ceil(invisibilityMs / 1000),
    })
    if (!signal.aborted) return { messages: receivedMessageItems, fault: '' }
    await Promise.all(receivedMessageItems.map((m) => client.updateMessage(m.messageId, m.popReceipt, undefined, 0)))
    return { messages: [], fault: '' }
  } catch (error) {
    if (signal.aborted) return { messages: [], fault: '' }
    if (isNotFound(error)) return { messages: [], fault: 'it does not exist yet; waiting until it does.' }
    return { messages: [], fault: `it could not be read, and is tried again: ${(error as Error).message}` }
  }
}

function hold(context: Context, message: DequeuedMessageItem): void {
  const lease = holdMessage(context.client, message, context.invisibilityMs, (error) =>
    context.log('warning', `Message ${message.messageId} could not be held invisible: ${error.message}`),
  )
  const ended: Promise<void> = processMessage(context, message, lease)
    .catch((error: Error) =>
      context.log('error', `Message ${message.messageId} could not be settled and will come back: ${error.message}`),
    )
    .then(() => lease.stop())
    .finally(() => context.held.delete(ended))
  context.held.add(ended)
}

/** Runs one message as QueueProcessor.cs does; a worker that dies in the middle counts as a failed run. */
async function processMessage(context: Context, message: DequeuedMessageItem, lease: MessageLease): Promise<void> {
  const { queue, settings, supervisor } = context
  const body = decodeBody(message.messageText, settings.messageEncoding)
  if (!body) {
    const reason = `it is not ${settings.messageEncoding}, which host.json's messageEncoding asks for`
    return moveToPoison(context, message, lease, reason)
  }
  // Reached by a message whose host was killed during its last attempt.
  if (message.dequeueCount > settings.maxDequeueCount && hasPoisonQueue(queue)) {
    return moveToPoison(context, message, lease, `it was tried ${settings.maxDequeueCount} times`)
  }
  const error = await run(supervisor, queueRequest(queue, message, body))
  await lease.stop()
  if (!error) return lease.remove()
  // The host stops and took the worker with it: that says nothing about the message, so the next start may have it at once.
  if (context.signal.aborted && error instanceof WorkerGoneError) return lease.release(0)
  // Without a poison queue a failed message stays invisible to the end of its lease, which keeps it from spinning.
  if (!hasPoisonQueue(queue)) return
  if (message.dequeueCount < settings.maxDequeueCount) return lease.release(settings.visibilityTimeoutMs)
  return moveToPoison(context, message, lease, `it failed ${message.dequeueCount} times`)
}

async function run(supervisor: Supervisor, request: InvocationRequest): Promise<Error | null> {
  try {
    await supervisor.invoke(request, await supervisor.current(workerWaitMs))
    return null
  } catch (error) {
    return error as Error
  }
}

async function moveToPoison(
  context: Context,
  message: DequeuedMessageItem,
  lease: MessageLease,
  reason: string,
): Promise<void> {
  const { queue, log } = context
  const poisonName = hasPoisonQueue(queue) ? `${queue.queueName}-poison` : queue.queueName
  await lease.stop()
  if (poisonName === queue.queueName) {
    return log('error', `Message ${message.messageId} in '${queue.queueName}' can't be run: ${reason}.`)
  }
  const poison = openQueue(queue.connectionString, poisonName)
  await poison.createIfNotExists()
  // The text goes over as it is, so that a base64 body stays one.
  await poison.sendMessage(message.messageText)
  await lease.remove()
  log('warning', `Message ${message.messageId} was moved from '${queue.queueName}' to '${poisonName}': ${reason}.`)
}

function hasPoisonQueue(queue: QueueFunction): boolean {
  return !queue.queueName.endsWith('-poison')
}

/** 100 ms, doubling up to the limit, each time by 0.8 to 1.2 (RandomizedExponentialBackoffStrategy.cs). */
function backOffMs(emptyPolls: number, limitMs: number): number {
  const exponential = shortestPollingIntervalMs * 2 ** Math.min(emptyPolls - 1, 20)
  return Math.min(limitMs, exponential * (0.8 + 0.4 * Math.random()))
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => {})
}
