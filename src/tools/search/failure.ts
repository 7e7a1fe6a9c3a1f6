import { RetryableError, TerminalError } from '../../domain/errors.ts'
import type { SearchConfig } from '../../config/config.ts'
import { readTokenFailure } from '../../config/entra-credential.ts'
import { reasonOf } from '../egress/failure.ts'

/** What the service answered, as far as it got. */
export interface Answer {
  status: number
  retryAfterMs: number | undefined
  body: unknown
}

export interface Request {
  config: SearchConfig
  apiKey: string | undefined
  /** Absent where there was none. */
  answer: Answer | undefined
  /** Of a request for one document. */
  documentId: string | undefined
  /** Its own time was up. */
  late: boolean
}

const PASSING = new Set([408, 429, 500, 502, 503, 504])
const LONGEST_SENTENCE = 500

/**
 * Turns what the SDK threw into what the engine understands. TerminalError: `bad_query` with the service's own sentence,
 * `search_not_allowed`, `index_not_found`, `document_not_found`, `search_failed`. RetryableError: `search_busy`,
 * `search_timeout`, `search_unreachable`, `search_bad_answer`. Either, as the reason is: `search_no_token`. A defect comes back as it is. No cause is
 * attached: the SDK's errors hold the request with its key.
 */
export function toSearchError(thrown: unknown, request: Request): unknown {
  if (thrown instanceof TerminalError || thrown instanceof RetryableError) return thrown
  const { answer, late } = request
  const service = hostOf(request)
  if (answer !== undefined && answer.status >= 300) return fromStatus(answer, request)
  if (late) return new RetryableError('search_timeout', `The search service at ${service} did not answer in time.`)
  if (answer !== undefined) {
    return new RetryableError(
      'search_bad_answer',
      `The search service at ${service} sent an answer that can't be read.`,
    )
  }
  const { name } = thrown as Error
  if (name === 'RestError') {
    const why = reasonOf(thrown)
    return new RetryableError('search_unreachable', `The search service at ${service} could not be reached (${why}).`)
  }
  return /Authentication|Credential/.test(name) ? noToken(thrown, service) : thrown
}

function noToken(thrown: unknown, service: string): RetryableError | TerminalError {
  const { mayPass, reason } = readTokenFailure(thrown)
  const message = `Entra ID gave no token for the search service at ${service}${reason ? ` (${reason})` : ''}.`
  if (mayPass) return new RetryableError('search_no_token', message)
  return new TerminalError('search_no_token', message, {
    hint: 'The operator has to give this deployment a managed identity (AZURE_CLIENT_ID names a user-assigned one; "az login" on a machine of their own), or to set AZURE_SEARCH_API_KEY. Go on without the documents.',
  })
}

function fromStatus(answer: Answer, request: Request): RetryableError | TerminalError {
  const { status, retryAfterMs } = answer
  const service = hostOf(request)
  const said = sentenceOf(answer, request.apiKey)
  if (status === 400) {
    return new TerminalError('bad_query', `The search service refused the query: ${said ?? 'it gave no reason.'}`, {
      hint: 'If it is about the filter, write one with fields that results have, or search without a filter.',
    })
  }
  if (status === 401 || status === 403) return notAllowed(status, request)
  if (status === 404) return notFound(said, request)
  const message = `The search service at ${service} answered ${status}.`
  if (!PASSING.has(status)) return new TerminalError('search_failed', message, { hint: 'Go on without the documents.' })
  return new RetryableError('search_busy', message, { retryAfterMs })
}

function notAllowed(status: number, request: Request): TerminalError {
  const role = 'the role Search Index Data Reader on the service, with role-based access switched on there'
  const hint =
    request.apiKey === undefined
      ? `The operator has to give this deployment's identity ${role}, or to set AZURE_SEARCH_API_KEY.`
      : `The operator has to set AZURE_SEARCH_API_KEY to a query key of this service, or to remove it and give this deployment's identity ${role}.`
  const message = `The search service at ${hostOf(request)} did not let this deployment read the index "${request.config.index}" (${status}).`
  return new TerminalError('search_not_allowed', message, { hint: `${hint} Go on without the documents.` })
}

/** The service says which index is missing; of a missing document it says nothing. */
function notFound(said: string | undefined, { config, documentId }: Request): TerminalError {
  if (documentId !== undefined && !/\bindex\b/i.test(said ?? '')) {
    return new TerminalError('document_not_found', `There is no document with the id "${documentId.slice(0, 200)}".`, {
      hint: 'Use an id as search_documents gives it.',
    })
  }
  return new TerminalError('index_not_found', `The search service has no index "${config.index}".`, {
    hint: 'The operator has to set AZURE_SEARCH_INDEX. Go on without the documents.',
  })
}

function sentenceOf({ body }: Answer, apiKey: string | undefined): string | undefined {
  const { error } = (body ?? {}) as { error?: { message?: unknown } }
  if (typeof error?.message !== 'string' || error.message === '') return undefined
  const text = apiKey === undefined ? error.message : error.message.replaceAll(apiKey, '(key)')
  return text.length > LONGEST_SENTENCE ? `${text.slice(0, LONGEST_SENTENCE).toWellFormed()}…` : text
}

function hostOf({ config }: Request): string {
  return URL.parse(config.endpoint)?.host ?? 'its endpoint'
}
