import type { OpenAI } from 'openai'
import { addChunk } from './answer-assembly.ts'
import type { AnswerAssembly } from './answer-assembly.ts'
import { completionChunkSchema } from './completion-chunk.ts'
import type { Attempt } from './deadlines.ts'
import type { Endpoint } from './endpoint.ts'
import { brokenStream, endlessAnswer, toModelError, webPage } from './openai-errors.ts'
import { fromServerError } from './openai-refusal.ts'
import { readErrorPayload } from './openai-server-error.ts'

export interface Reading {
  client: OpenAI
  endpoint: Endpoint
  attempt: Attempt
  onText: (piece: string) => void
}

/** Characters of text and tool calls: 2 million tokens, several times what any model gives in one answer. */
const LONGEST_ANSWER = 8 * 2 ** 20

/** Bytes of one event, or of an answer that is not streamed: the longest answer, and as much again for its JSON. */
const LONGEST_EVENT = 2 * LONGEST_ANSWER

/** Bytes that came since the last whole event. */
interface Pending {
  bytes: number
}

/**
 * Reads a 200 response to its end into `answer`: a stream, or one JSON object from a server that ignores `stream`. Throws
 * RetryableError `model_stream_broken` where the answer is not whole, TerminalError `model_answer_too_long` where it does
 * not end. What breaks after finish_reason costs at most the usage, except for a content filter's verdict on the answer.
 */
export async function readCompletion(response: Response, answer: AnswerAssembly, reading: Reading): Promise<void> {
  const type = response.headers.get('content-type') ?? ''
  if (type.includes('text/html')) throw webPage(reading.endpoint)
  const pending = { bytes: 0 }
  const body = watchBytes(response, reading, pending)
  const take = (chunk: unknown) => {
    pending.bytes = 0
    takeChunk(answer, chunk, reading)
  }
  try {
    if (type.includes('application/json')) take(await body.json())
    else await readStream(body, reading, take)
  } catch (error) {
    const { code } = toModelError(error, reading.endpoint, true)
    if (answer.finishReason === undefined || code === 'model_content_filter') throw error
  }
  if (answer.finishReason === undefined) throw brokenStream(reading.endpoint, 'ended without a finish reason')
}

async function readStream(body: Response, reading: Reading, take: (chunk: unknown) => void): Promise<void> {
  const { signal } = reading.attempt
  const { Stream } = await import('openai/core/streaming')
  const controller = new AbortController()
  const stop = () => controller.abort(signal.reason)
  signal.addEventListener('abort', stop, { once: true })
  try {
    // After an abort it just ends; without a finish reason that is no answer.
    for await (const chunk of Stream.fromSSEResponse<unknown>(body, controller, reading.client)) take(chunk)
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

function takeChunk(answer: AnswerAssembly, chunk: unknown, { endpoint, onText }: Reading): void {
  // Some servers answer an error with 200 and a plain body.
  if (typeof chunk === 'object' && chunk !== null && 'error' in chunk && chunk.error) {
    throw fromServerError(readErrorPayload(chunk.error), endpoint)
  }
  const parsed = completionChunkSchema.safeParse(chunk)
  if (!parsed.success) throw brokenStream(endpoint, 'is no Chat Completions chunk')
  const text = addChunk(answer, parsed.data)
  if (answer.size > LONGEST_ANSWER) throw endlessAnswer(endpoint)
  if (text !== '') onText(text)
}

function watchBytes(response: Response, { attempt, endpoint }: Reading, pending: Pending): Response {
  const watch = new TransformStream<Uint8Array, Uint8Array>({
    transform(bytes, controller) {
      attempt.alive()
      pending.bytes += bytes.length
      if (pending.bytes > LONGEST_EVENT) controller.error(endlessAnswer(endpoint))
      else controller.enqueue(bytes)
    },
  })
  return new Response(response.body?.pipeThrough(watch), { headers: response.headers })
}
