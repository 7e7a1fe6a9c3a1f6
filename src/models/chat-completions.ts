import { randomUUID } from 'node:crypto'
import type { OpenAI } from 'openai'
import type { Tokens } from '../domain/errors.ts'
import { finishAnswer, startAnswer } from './answer-assembly.ts'
import { defaultDeadlines, openAttempt, untilAborted } from './deadlines.ts'
import type { Deadlines } from './deadlines.ts'
import type { EndpointSettings } from './endpoint.ts'
import { loadOnce } from './load-once.ts'
import type { Model, ModelAnswer, ModelCallOptions, ModelRequest } from './model.ts'
import { adaptDialect } from './openai-dialect.ts'
import type { Dialect } from './openai-dialect.ts'
import { toModelError, unusableAddress } from './openai-errors.ts'
import { toChatRequest } from './openai-request.ts'
import { readServerError } from './openai-server-error.ts'
import { quickRetries, retryQuickly } from './quick-retry.ts'
import type { RetryPolicy } from './quick-retry.ts'
import { readCompletion } from './read-completion.ts'
import { addTokens, costOfFailure, errorWithCost, withCost } from './spending.ts'
import { openTransport } from './transport.ts'
import type { Transport } from './transport.ts'

/** What tells one server of Chat Completions from another. */
export interface ChatServer {
  /** The package takes 100 ms to load, so this happens at the first call. */
  loadClient: (transport: Transport) => Promise<OpenAI>
  /** Undefined where the address can't be called. */
  origin: string | undefined
  settings: EndpointSettings
  /** What to try first with each model. */
  dialect: Dialect
}

export interface ChatOptions {
  /** Milliseconds. */
  timeouts?: Partial<Deadlines>
  retry?: Partial<RetryPolicy>
}

interface Connection extends ChatServer {
  client: () => Promise<OpenAI>
  deadlines: Deadlines
  /** What was learnt about each model of this server. */
  dialects: Map<string, Dialect>
}

/**
 * A model behind a Chat Completions server. A failed attempt may have passed text to `onText` before; the next one
 * starts over and says so by `onRestart`. Both are a preview, the answer is what counts.
 */
export function createChatModel(server: ChatServer, options: ChatOptions): Model {
  const deadlines = { ...defaultDeadlines, ...options.timeouts }
  const connection: Connection = {
    ...server,
    client: loadOnce(async () => server.loadClient(await openTransport(deadlines.connectMs))),
    deadlines,
    dialects: new Map(),
  }
  const policy = { ...quickRetries, ...options.retry }
  return { complete: (request, call) => complete(connection, policy, request, call) }
}

async function complete(
  connection: Connection,
  policy: RetryPolicy,
  request: ModelRequest,
  call: ModelCallOptions,
): Promise<ModelAnswer> {
  let spent: Tokens | undefined
  const spend = (tokens: Tokens | undefined) => {
    spent = addTokens(spent, tokens)
  }
  try {
    let attempts = 0
    const attempt = () => {
      attempts += 1
      if (attempts > 1) safely(call.onRestart)()
      return attemptOnce(connection, request, call, spend)
    }
    return withCost(await retryQuickly(attempt, policy, call.signal), spent)
  } catch (error) {
    throw errorWithCost(error, spent)
  }
}

async function attemptOnce(
  connection: Connection,
  request: ModelRequest,
  call: ModelCallOptions,
  spend: (tokens: Tokens | undefined) => void,
): Promise<ModelAnswer> {
  const { origin, settings } = connection
  if (origin === undefined) throw unusableAddress(settings)
  const attempt = openAttempt(call.signal, connection.deadlines)
  const endpoint = { origin, model: request.model, settings }
  const answer = startAnswer()
  let streaming = false
  try {
    const client = await connection.client()
    // The client does not watch the signal while it waits for a token.
    const response = await untilAborted(send(client, connection, request, attempt.signal), attempt.signal)
    streaming = true
    await readCompletion(response, answer, { client, endpoint, attempt, onText: safely(call.onText) })
    call.signal.throwIfAborted()
    return finishAnswer(answer, request, () => `call_${randomUUID()}`)
  } catch (error) {
    call.signal.throwIfAborted()
    const failure = toModelError(attempt.signal.aborted ? attempt.signal.reason : error, endpoint, streaming)
    spend(costOfFailure(failure, answer, request, streaming))
    throw failure
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
  let dialect = connection.dialects.get(request.model) ?? connection.dialect
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
function safely<T extends unknown[]>(listener: ((...told: T) => void) | undefined): (...told: T) => void {
  return (...told) => {
    try {
      listener?.(...told)
    } catch {
      // The caller's own; the text comes again with the answer.
    }
  }
}
