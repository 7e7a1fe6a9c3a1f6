import { randomUUID } from 'node:crypto'
import type { DequeuedMessageItem } from '@azure/storage-queue'
import type { QueueFunction } from './index-functions.ts'
import type { InvocationRequest, TypedData } from './protocol.ts'
import { traceContext } from './trace-context.ts'

/** The body of a message, or null where it is not what `messageEncoding` says (then it belongs in the poison queue). */
export function decodeBody(text: string, encoding: 'base64' | 'none'): Buffer | null {
  if (encoding === 'none') return Buffer.from(text)
  // .NET's Convert.FromBase64String: white space is skipped, padding is needed.
  const compact = text.replace(/\s/g, '')
  const valid = compact.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(compact)
  return valid ? Buffer.from(compact, 'base64') : null
}

/** The invocation that the host sends for a queue message. */
export function queueRequest(queue: QueueFunction, message: DequeuedMessageItem, body: Buffer): InvocationRequest {
  const data: TypedData = queue.asBytes ? { bytes: body } : { string: body.toString('utf8') }
  return {
    invocationId: randomUUID(),
    functionId: queue.functionName,
    inputData: [{ name: queue.bindingName, data }],
    triggerMetadata: queueMetadata(message, body.toString('utf8')),
    traceContext: traceContext(),
  }
}

function queueMetadata(message: DequeuedMessageItem, text: string): Record<string, TypedData> {
  const metadata: Record<string, TypedData> = {
    QueueTrigger: { string: text },
    DequeueCount: { int: message.dequeueCount },
    Id: { string: message.messageId },
    InsertionTime: { json: dateTimeOffset(message.insertedOn) },
    ExpirationTime: { json: dateTimeOffset(message.expiresOn) },
    NextVisibleTime: { json: dateTimeOffset(message.nextVisibleOn) },
    PopReceipt: { string: message.popReceipt },
  }
  // The host's binding data takes a JSON message's properties too, and they win: `{"id":1}` hides the message id.
  const spelling = new Map(Object.keys(metadata).map((key) => [key.toLowerCase(), key]))
  for (const [key, value] of Object.entries(jsonObject(text))) {
    const typed = typeof value === 'string' ? { string: value } : { json: JSON.stringify(value) }
    metadata[spelling.get(key.toLowerCase()) ?? key] = typed
  }
  return metadata
}

function jsonObject(text: string): object {
  if (!text.trimStart().startsWith('{')) return {}
  try {
    return JSON.parse(text) as object
  } catch {
    return {}
  }
}

/** A DateTimeOffset as Newtonsoft writes it. */
function dateTimeOffset(date: Date): string {
  return JSON.stringify(date.toISOString().replace('Z', '+00:00'))
}
