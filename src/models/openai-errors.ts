import { RetryableError, TerminalError } from '../domain/errors.ts'
import { causesOf, ownError } from '../domain/own-error.ts'
import type { Endpoint, EndpointSettings } from './endpoint.ts'
import { fromServerError } from './openai-refusal.ts'
import { readServerError } from './openai-server-error.ts'

/**
 * Turns whatever an attempt threw into what the engine understands. The server's own sentence is left out, and no cause
 * is attached: servers repeat the key, the prompt or the whole body in it (seen with 401 of OpenAI, 422 of FastAPI servers).
 */
export function toModelError(thrown: unknown, endpoint: Endpoint, streaming: boolean): RetryableError | TerminalError {
  const ours = ownError(thrown)
  if (ours) return ours
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

/** An answer that a repetition would pay for once more, and that would most likely not end either. */
export function endlessAnswer({ origin, model, settings }: Endpoint): TerminalError {
  return new TerminalError('model_answer_too_long', `The answer of the model server at ${origin} did not end.`, {
    hint: `Set the profile's model.maxOutputTokens, or another ${settings.noun} than ${model} (${settings.model}).`,
  })
}

function fromConnection(thrown: unknown, { origin, settings }: Endpoint): RetryableError {
  const code = systemCode(thrown)
  const reason = code === 'UND_ERR_CONNECT_TIMEOUT' ? 'no connection in time' : code
  const text = `The model server at ${origin} could not be reached${reason ? ` (${reason})` : ''}.`
  return new RetryableError('model_unavailable', `${text} If this lasts, check ${settings.address}.`)
}

/** fetch takes http and https without credentials in the URL, and says so in words that repeat them. */
export function unusableAddress({ address, addressForm }: EndpointSettings): TerminalError {
  return new TerminalError('model_bad_request', 'The address of the model server is not one that can be called.', {
    hint: `Correct ${address}: ${addressForm}, with no user name or password in it.`,
  })
}

/** A 200 with HTML: a portal, a login page, a wrong path. */
export function webPage({ origin, settings }: Endpoint): TerminalError {
  const what = `${origin} answered with a web page instead of a Chat Completions answer.`
  return new TerminalError('model_bad_request', what, {
    hint: `Correct ${settings.address}: ${settings.addressForm}.`,
  })
}

/** The system's code, such as ECONNREFUSED, from the chain of causes of the client and of fetch: at most five deep. */
function systemCode(thrown: unknown): string | undefined {
  for (const error of causesOf(thrown)) {
    if ('code' in error && typeof error.code === 'string' && /^[A-Z_]+$/.test(error.code)) return error.code
  }
  return undefined
}
