import { randomUUID } from 'node:crypto'
import type { OpenAI } from 'openai'
import { finishAnswer } from './answer-assembly.ts'
import { defaultDeadlines, openAttempt } from './deadlines.ts'
import type { Deadlines } from './deadlines.ts'
import type { Model, ModelAnswer, ModelCallOptions, ModelRequest } from './model.ts'
import { adaptDialect, initialDialect } from './openai-dialect.ts'
import type { Dialect } from './openai-dialect.ts'
import { toModelError, unusableAddress } from './openai-errors.ts'
import { toChatRequest } from './openai-request.ts'
import { readServerError } from './openai-server-error.ts'
import { quickRetries, retryQuickly } from './quick-retry.ts'
import type { RetryPolicy } from './quick-retry.ts'
import { readCompletion } from './read-completion.ts'

export interface OpenAiModelOptions {
  /** May be empty for a server that asks for none, such as Ollama. */
  apiKey: string
  /** OpenAI's own by default. Usually ends in `/v1`. */
  baseUrl?: string
  /** Milliseconds. Node's fetch adds a limit of 300 s of its own to the first byte and to each silence. */
  timeouts?: Partial<Deadlines>
  retry?: Partial<RetryPolicy>
}

interface Connection {
  client: () => Promise<OpenAI>
  /** Undefined where the address can't be called. */
  origin: string | undefined
  deadlines: Deadlines
  /** What was learnt about each model of this server. */
  dialects: Map<string, Dialect>
}

/**
 * A model behind OpenAI's Chat Completions or any compatible server (Ollama, vLLM, llama.cpp). A failed attempt may have
 * passed text to `onText` before, and the next one starts over: `onText` is a preview, the answer is what counts.
 */
export function createOpenAiModel(options: OpenAiModelOptions): Model {
  const baseUrl = options.baseUrl || 'https://api.openai.com/v1'
  const connection: Connection = {
    client: lazyClient(options.apiKey, baseUrl),
    origin: callableOrigin(baseUrl),
    deadlines: { ...defaultDeadlines, ...options.timeouts },
    dialects: new Map(),
  }
  const policy = { ...quickRetries, ...options.retry }
  return {
    complete: (request, call) => retryQuickly(() => attemptOnce(connection, request, call), policy, call.signal),
  }
}

function callableOrigin(baseUrl: string): string | undefined {
  const url = URL.parse(baseUrl)
  const callable = url && /^https?:$/.test(url.protocol) && url.username === '' && url.password === ''
  return callable ? url.origin : undefined
}

/** The package takes 140 ms to load, so only the first call does it. Nothing is read from the environment, nothing logged. */
function lazyClient(apiKey: string, baseURL: string): () => Promise<OpenAI> {
  let client: Promise<OpenAI> | undefined
  return () => (client ??= loadClient(apiKey, baseURL))
}

async function loadClient(apiKey: string, baseURL: string): Promise<OpenAI> {
  const { OpenAI } = await import('openai')
  return new OpenAI({
    // The package insists on a key; a server without authentication ignores it.
    apiKey: apiKey || 'none',
    baseURL,
    adminAPIKey: null,
    organization: null,
    project: null,
    logLevel: 'off',
    maxRetries: 0,
  })
}

async function attemptOnce(
  connection: Connection,
  request: ModelRequest,
  call: ModelCallOptions,
): Promise<ModelAnswer> {
  const { origin } = connection
  if (origin === undefined) throw unusableAddress()
  const attempt = openAttempt(call.signal, connection.deadlines)
  const endpoint = { origin, model: request.model }
  let streaming = false
  try {
    const client = await connection.client()
    const response = await send(client, connection, request, attempt.signal)
    streaming = true
    const answer = await readCompletion(response, { client, endpoint, attempt, onText: safely(call.onText) })
    call.signal.throwIfAborted()
    return finishAnswer(answer, request, () => `call_${randomUUID()}`)
  } catch (error) {
    call.signal.throwIfAborted()
    throw toModelError(attempt.signal.aborted ? attempt.signal.reason : error, endpoint, streaming)
  } finally {
    attempt.close()
  }
}

/** Sends the request; where the server refuses one of the optional fields, once more without it, and remembers. */
async function send(
  client: OpenAI,
  connection: Connection,
  request: ModelRequest,
  signal: AbortSignal,
): Promise<Response> {
  let dialect = connection.dialects.get(request.model) ?? initialDialect(connection.origin ?? '')
  // The watchdog's deadlines are the ones that count: the client's own must not come first.
  const options = { signal, timeout: 2 ** 31 - 1 }
  for (;;) {
    try {
      return await client.chat.completions.create(toChatRequest(request, dialect), options).asResponse()
    } catch (error) {
      const refusal = readServerError(error)
      const adapted = refusal && adaptDialect(dialect, refusal)
      if (!adapted) throw error
      dialect = adapted
      connection.dialects.set(request.model, dialect)
    }
  }
}

/** A preview that fails must not cost an answer that is paid for. */
function safely(onText: ModelCallOptions['onText']): (piece: string) => void {
  return (piece) => {
    try {
      onText?.(piece)
    } catch {
      // The caller's own; the text comes again with the answer.
    }
  }
}
