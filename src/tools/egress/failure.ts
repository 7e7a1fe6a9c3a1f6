import { STATUS_CODES } from 'node:http'
import { RetryableError, TerminalError } from '../../domain/errors.ts'
import { causesOf, ownError } from '../../domain/own-error.ts'

/** Statuses that may be gone the next time (RFC 9110 §15, RFC 8470, RFC 6585). */
const PASSING = new Set([408, 425, 429, 500, 502, 503, 504])

/** "URL answered 404 Not Found". */
export function answered(url: string, status: number): string {
  return `${url} answered ${status} ${STATUS_CODES[status] ?? ''}`.trim()
}

/** The error for a status that is neither success nor redirect. */
export function statusError(
  url: string,
  status: number,
  retryAfterMs: number | undefined,
): RetryableError | TerminalError {
  const message = answered(url, status)
  if (PASSING.has(status)) {
    return new RetryableError('http_status', message, { retryAfterMs })
  }
  return new TerminalError('http_status', message, { hint: 'Check the address, or go on without this page.' })
}

/** Turns what fetch threw into one of our errors: our own from inside it, broken certificates, and all that may pass. */
export function connectionError(url: string, error: unknown): RetryableError | TerminalError {
  const own = ownError(error)
  if (own) return own
  const why = reasonOf(error)
  if (isTlsReason(why)) {
    return new TerminalError('tls_failed', `${url} has no valid TLS certificate (${why}).`, {
      hint: 'Go on without this page.',
      cause: error,
    })
  }
  return new RetryableError('fetch_failed', `${url} could not be fetched (${why}).`, { cause: error })
}

/** The innermost code, such as ECONNREFUSED, or else the innermost message. */
export function reasonOf(error: unknown): string {
  const chain = causesOf(error)
  const code = chain
    .map((cause) => (cause as NodeJS.ErrnoException).code)
    .findLast((found) => typeof found === 'string')
  return code ?? chain.at(-1)?.message ?? 'unknown reason'
}

export function isTlsReason(why: string): boolean {
  return /CERT|SELF_SIGNED|^ERR_TLS|^ERR_SSL/.test(why)
}
