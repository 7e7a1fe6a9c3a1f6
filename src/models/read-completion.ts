import type { OpenAI } from 'openai'
import { TerminalError } from '../domain/errors.ts'
import { addChunk, startAnswer } from './answer-assembly.ts'
import type { AnswerAssembly } from './answer-assembly.ts'
import { completionChunkSchema } from './completion-chunk.ts'
import type { Attempt } from './deadlines.ts'
import { brokenStream, fromServerError } from './openai-errors.ts'
import type { Endpoint } from './openai-errors.ts'
import { readErrorPayload, readServerError } from './openai-server-error.ts'

export interface Reading {
  client: OpenAI
  endpoint: Endpoint
  attempt: Attempt
  onText: (piece: string) => void
}

/**
 * Reads a 200 response to its end: a stream, or one JSON object from a server that ignores `stream`. Throws RetryableError
 * `model_stream_broken` where the answer is not whole; what breaks after finish_reason costs at most the usage.
 */
export async function readCompletion(response: Response, reading: Reading): Promise<AnswerAssembly> {
  const type = response.headers.get('content-type') ?? ''
  if (type.includes('text/html')) throw webPage(reading.endpoint)
  const answer = startAnswer()
  const body = watchBytes(response, reading.attempt)
  try {
    if (type.includes('application/json')) takeChunk(answer, await body.json(), reading)
    else await readStream(answer, body, reading)
  } catch (error) {
    if (answer.finishReason === undefined || readServerError(error)) throw error
  }
  if (answer.finishReason === undefined) throw brokenStream(reading.endpoint, 'ended without a finish reason')
  return answer
}

async function readStream(answer: AnswerAssembly, body: Response, reading: Reading): Promise<void> {
  const { signal } = reading.attempt
  const { Stream } = await import('openai/core/streaming')
  const controller = new AbortController()
  const stop = () => controller.abort(signal.reason)
  signal.addEventListener('abort', stop, { once: true })
  try {
    // After an abort it just ends; without a finish reason that is no answer.
    for await (const chunk of Stream.fromSSEResponse<unknown>(body, controller, reading.client)) {
      takeChunk(answer, chunk, reading)
    }
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
  if (text !== '') onText(text)
}

function watchBytes(response: Response, attempt: Attempt): Response {
  const watch = new TransformStream<Uint8Array, Uint8Array>({
    transform(bytes, controller) {
      attempt.alive()
      controller.enqueue(bytes)
    },
  })
  return new Response(response.body?.pipeThrough(watch), { headers: response.headers })
}

function webPage({ origin }: Endpoint): TerminalError {
  return new TerminalError(
    'model_bad_request',
    `${origin} answered with a web page instead of a Chat Completions answer.`,
    {
      hint: 'Correct OPENAI_BASE_URL; it usually ends in /v1.',
    },
  )
}
