import { RetryableError, TerminalError } from '../domain/errors.ts'
import { readServerError } from './openai-server-error.ts'
import type { ServerError } from './openai-server-error.ts'
import { readRetryAfterMs } from './retry-after.ts'

/** Where a request went: the only part of it that an error message may tell. */
export interface Endpoint {
  /** Scheme, host and port, without the credentials that a URL may hold. */
  origin: string
  model: string
}

/** A quota that is used up comes back by the hour or when somebody pays: ten minutes between looks. */
const QUOTA_WAIT_MS = 600_000

/**
 * Turns whatever an attempt threw into what the engine understands. The server's own sentence is left out, and no cause
 * is attached: servers repeat the key, the prompt or the whole body in it (seen with 401 of OpenAI, 422 of FastAPI servers).
 */
export function toModelError(thrown: unknown, endpoint: Endpoint, streaming: boolean): RetryableError | TerminalError {
  if (thrown instanceof RetryableError || thrown instanceof TerminalError) return thrown
  const said = readServerError(thrown)
  if (said) return fromServerError(said, endpoint)
  return streaming ? brokenStream(endpoint, 'broke off', systemCode(thrown)) : fromConnection(thrown, endpoint)
}

/** A stream that ended before the answer was whole. */
export function brokenStream(endpoint: Endpoint, how: string, code?: string): RetryableError {
  const detail = code ? ` (${code})` : ''
  return new RetryableError(
    'model_stream_broken',
    `The answer of the model server at ${endpoint.origin} ${how}${detail}.`,
  )
}

export function fromServerError(said: ServerError, endpoint: Endpoint): RetryableError | TerminalError {
  return terminalByMeaning(said, endpoint) ?? retryable(said, endpoint) ?? terminalByStatus(said, endpoint)
}

function terminalByMeaning(said: ServerError, { origin, model }: Endpoint): TerminalError | undefined {
  const meaning = `${said.code} ${said.type} ${said.message}`
  if ((said.status ?? 400) >= 429) return undefined
  if (/context.{0,3}(length|size|window)|maximum context|prompt is too long|too many tokens/i.test(meaning)) {
    return new TerminalError('model_context_too_long', `The conversation is longer than the model ${model} can read.`, {
      hint: 'Set OPENAI_MODEL to a model with a larger context, or give the mission less to read.',
    })
  }
  if (/content_filter|content_policy|ResponsibleAIPolicyViolation/i.test(meaning)) {
    return new TerminalError(
      'model_content_filter',
      `The content filter of the model server at ${origin} refused the request.`,
      {
        hint: 'Change the wording of the goal or of the files, or set OPENAI_MODEL to a model with another filter.',
      },
    )
  }
  if (/model_not_found|model\b.{0,120}(does not exist|not found)/i.test(meaning)) return unknownModel({ origin, model })
  return undefined
}

function retryable(said: ServerError, { origin }: Endpoint): RetryableError | undefined {
  const retryAfterMs = said.headers && readRetryAfterMs(said.headers, Date.now())
  if (/insufficient_quota|billing/i.test(`${said.code} ${said.type}`)) {
    const text = `The account behind OPENAI_API_KEY at ${origin} has used up its quota. Raise it there, or set another key.`
    return new RetryableError('model_quota', text, { retryAfterMs: retryAfterMs ?? QUOTA_WAIT_MS })
  }
  if (said.status === 429 || /rate_limit/i.test(`${said.code} ${said.type}`)) {
    const text = `The model server at ${origin} limits the rate of requests (429).`
    return new RetryableError('model_rate_limited', text, { retryAfterMs })
  }
  if (said.status === 408)
    return new RetryableError('model_timeout', `The model server at ${origin} gave up waiting (408).`, { retryAfterMs })
  const blamesUs = /invalid_request|authentication|permission|invalid_api_key/i.test(`${said.code} ${said.type}`)
  if (said.status === undefined ? !blamesUs : said.status >= 500) {
    const text = `The model server at ${origin} reported an error of its own${facts(said)}.`
    return new RetryableError('model_unavailable', text, { retryAfterMs })
  }
  return undefined
}

function terminalByStatus(said: ServerError, { origin, model }: Endpoint): TerminalError {
  const keyRefused = /authentication|permission|invalid_api_key/i.test(`${said.code} ${said.type}`)
  if (said.status === 401 || said.status === 403 || keyRefused) {
    return new TerminalError('model_auth', `The model server at ${origin} refused the key${facts(said)}.`, {
      hint: 'Set OPENAI_API_KEY to a key that is valid there and may use the model, or correct OPENAI_BASE_URL.',
    })
  }
  if (said.status === 404) return unknownModel({ origin, model })
  if (said.status === 413) {
    return new TerminalError(
      'model_context_too_long',
      `The request is larger than the model server at ${origin} takes (413).`,
      {
        hint: 'Give the mission less to read, or set OPENAI_BASE_URL to a server that takes more.',
      },
    )
  }
  return new TerminalError('model_bad_request', `The model server at ${origin} refused the request${facts(said)}.`, {
    hint: `Check that the model ${model} (OPENAI_MODEL) supports tools, and that OPENAI_BASE_URL is a Chat Completions server. Its log has the reason.`,
  })
}

function unknownModel({ origin, model }: Endpoint): TerminalError {
  return new TerminalError('model_not_found', `The model server at ${origin} does not know the model ${model}.`, {
    hint: 'Set OPENAI_MODEL to a model that it has, or correct OPENAI_BASE_URL (it usually ends in /v1).',
  })
}

function fromConnection(thrown: unknown, { origin }: Endpoint): RetryableError {
  const code = systemCode(thrown)
  const text = `The model server at ${origin} could not be reached${code ? ` (${code})` : ''}. If this lasts, check OPENAI_BASE_URL.`
  return new RetryableError('model_unavailable', text)
}

/** fetch takes http and https without credentials in the URL, and says so in words that repeat them. */
export function unusableAddress(): TerminalError {
  return new TerminalError('model_bad_request', 'The address of the model server is not one that can be called.', {
    hint: 'Set OPENAI_BASE_URL to something like http://127.0.0.1:11434/v1, with no user name or password in it.',
  })
}

/** Status, code and parameter; only identifiers in lower case, so that no sentence and no key slips through. */
function facts(said: ServerError): string {
  const named = [said.code && `code ${said.code}`, said.param && `parameter ${said.param}`]
  const safe = named.filter((text) => /^(code|parameter) [a-z][a-z0-9_.[\]]{0,47}$/.test(text))
  const parts = [said.status, ...safe].filter(Boolean)
  return parts.length > 0 ? ` (${parts.join(', ')})` : ''
}

/** The system's code, such as ECONNREFUSED, from the chain of causes of the client and of fetch: at most five deep. */
function systemCode(thrown: unknown): string | undefined {
  let error = thrown
  for (let depth = 0; depth < 5 && error instanceof Error; depth++) {
    if ('code' in error && typeof error.code === 'string' && /^[A-Z_]+$/.test(error.code)) return error.code
    error = error.cause
  }
  return undefined
}
