import { readRetryAfterMs } from '../config/retry-after.ts'
import { RetryableError, TerminalError } from '../domain/errors.ts'
import type { Endpoint } from './endpoint.ts'
import type { ServerError } from './openai-server-error.ts'

/** A quota that is used up comes back by the hour or when somebody pays: ten minutes between looks. */
const QUOTA_WAIT_MS = 600_000

/** In the words of OpenAI, vLLM, llama.cpp, Ollama, and of gateways to others. */
const TOO_LONG =
  /context.{0,3}(length|size|window)|maximum (context|model length)|prompt is too long|string_above_max_length|too many tokens/i

/** What a server's refusal means: 408, 429 and 5xx may pass, and an error in a stream that does not blame the request. */
export function fromServerError(said: ServerError, endpoint: Endpoint): RetryableError | TerminalError {
  const blamesUs = /invalid_request|authentication|permission|invalid_api_key/i.test(`${said.code} ${said.type}`)
  const { status } = said
  if (status !== undefined && status >= 300 && status < 400) return redirected(said, endpoint)
  const mayPass = status === undefined ? !blamesUs : status === 408 || status === 429 || status >= 500
  return terminalByMeaning(said, endpoint) ?? (mayPass ? passing(said, endpoint) : terminalByStatus(said, endpoint))
}

function terminalByMeaning(said: ServerError, endpoint: Endpoint): TerminalError | undefined {
  // llama.cpp has answered this with status 500.
  if (/context_length_exceeded|exceed_context_size/.test(`${said.code} ${said.type}`)) return tooLong(endpoint)
  if ((said.status ?? 400) >= 429) return undefined
  const meaning = `${said.code} ${said.type} ${said.message}`
  if (TOO_LONG.test(meaning)) return tooLong(endpoint)
  if (/content_filter|content_policy|ResponsibleAIPolicyViolation/i.test(meaning)) return filtered(said, endpoint)
  if (/model_not_found|DeploymentNotFound|model\b.{0,120}(does not exist|not found)/i.test(meaning)) {
    return unknownModel(endpoint)
  }
  return undefined
}

/** The origin is all that is told of where it points to: a path may hold a gateway's key. */
function redirected({ status, headers }: ServerError, { origin, settings }: Endpoint): TerminalError {
  const target = URL.parse(headers?.get('location') ?? '', origin)?.origin
  const where = target === undefined || target === origin ? 'another path' : target
  const what = `The model server at ${origin} redirects to ${where} (${status}), where the conversation was not sent.`
  return new TerminalError('model_bad_request', what, {
    hint: `Set ${settings.address} to the address that is meant: ${settings.addressForm}.`,
  })
}

function tooLong({ model, settings }: Endpoint): TerminalError {
  const what = `The conversation is longer than the ${settings.noun} ${model} can read.`
  return new TerminalError('model_context_too_long', what, {
    hint: `Set ${settings.model} to a ${settings.noun} with a larger context, or give the mission less to read.`,
  })
}

function filtered({ contentFilter }: ServerError, { origin, settings }: Endpoint): TerminalError {
  const categories = contentFilter.length > 0 ? `: ${contentFilter.join(', ')}` : ''
  const what = `The content filter of the model server at ${origin} refused the request${categories}.`
  return new TerminalError('model_content_filter', what, {
    hint: `Change the wording of the goal or of the files, or set ${settings.model} to a ${settings.noun} with another filter.`,
    contentFilter: contentFilter.length > 0 ? contentFilter : undefined,
  })
}

function passing(said: ServerError, { origin, settings }: Endpoint): RetryableError {
  const retryAfterMs = readRetryAfterMs((name) => said.headers?.get(name), Date.now())
  const named = `${said.code} ${said.type}`
  if (/insufficient_quota|billing/i.test(named)) {
    const text = `${usedUp(origin)} Raise it there, or set another ${settings.account}.`
    return new RetryableError('model_quota', text, { retryAfterMs: retryAfterMs ?? QUOTA_WAIT_MS })
  }
  if (said.status === 429 || /rate_limit/i.test(named)) {
    const text = `The model server at ${origin} limits the rate of requests (429).`
    return new RetryableError('model_rate_limited', text, { retryAfterMs })
  }
  if (said.status === 408) {
    return new RetryableError('model_timeout', `The model server at ${origin} gave up waiting (408).`, { retryAfterMs })
  }
  const text = `The model server at ${origin} reported an error of its own${facts(said)}.`
  return new RetryableError('model_unavailable', text, { retryAfterMs })
}

function usedUp(origin: string): string {
  return `The account at the model server ${origin} has used up its quota.`
}

function terminalByStatus(said: ServerError, endpoint: Endpoint): TerminalError {
  const { origin, settings } = endpoint
  const named = `${said.code} ${said.type}`
  if (said.status === 402 || /insufficient_quota|billing/i.test(named)) {
    const hint = `Pay or raise it there, or set another ${settings.account}.`
    return new TerminalError('model_quota', usedUp(origin), { hint })
  }
  if (said.status === 401 || said.status === 403 || /authentication|permission|invalid_api_key/i.test(named)) {
    const what = `The model server at ${origin} refused ${settings.credential}${facts(said)}.`
    return new TerminalError('model_auth', what, { hint: settings.refused })
  }
  if (said.status === 404) return unknownModel(endpoint)
  if (said.status === 413) {
    const what = `The request is larger than the model server at ${origin} takes (413).`
    return new TerminalError('model_context_too_long', what, {
      hint: `Give the mission less to read, or set ${settings.address} to a server that takes more.`,
    })
  }
  return badRequest(said, endpoint)
}

function badRequest(said: ServerError, { origin, model, settings }: Endpoint): TerminalError {
  return new TerminalError('model_bad_request', `The model server at ${origin} refused the request${facts(said)}.`, {
    hint: `Check that the ${settings.noun} ${model} (${settings.model}) supports tools, and that ${settings.address} is a Chat Completions server. Its log has the reason.`,
  })
}

function unknownModel({ origin, model, settings }: Endpoint): TerminalError {
  const what = `The model server at ${origin} does not know the ${settings.noun} ${model}.`
  return new TerminalError('model_not_found', what, {
    hint: `Set ${settings.model} to a ${settings.noun} that it has, or correct ${settings.address}: ${settings.addressForm}.`,
  })
}

/** Status, code and parameter; only identifiers in lower case, so that no sentence and no key slips through. */
function facts(said: ServerError): string {
  const named = [said.code && `code ${said.code}`, said.param && `parameter ${said.param}`]
  const safe = named.filter((text) => /^(code|parameter) [a-z][a-z0-9_.[\]]{0,47}$/.test(text))
  const parts = [said.status, ...safe].filter(Boolean)
  return parts.length > 0 ? ` (${parts.join(', ')})` : ''
}
