import { STATUS_CODES } from 'node:http'
import { RetryableError, TerminalError } from '../../domain/errors.ts'

/** Statuses that may be gone the next time (RFC 9110 §15, RFC 8470, RFC 6585). */
const PASSING = new Set([408, 425, 429, 500, 502, 503, 504])

/** The error for a status that is neither success nor redirect. `retryAfter` is the header's text, seconds or a date. */
export function statusError(url: string, status: number, retryAfter: string | null): RetryableError | TerminalError {
  const message = `${url} answered ${status} ${STATUS_CODES[status] ?? ''}`.trim()
  if (PASSING.has(status)) return new RetryableError('http_status', message, { retryAfterMs: delayOf(retryAfter) })
  return new TerminalError('http_status', message, { hint: 'Check the address, or go on without this page.' })
}

/** Milliseconds until the time that a Retry-After header gives. */
function delayOf(retryAfter: string | null): number | undefined {
  if (retryAfter === null) return undefined
  const ms = /^\d+$/.test(retryAfter) ? Number(retryAfter) * 1000 : Date.parse(retryAfter) - Date.now()
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined
}

/** Turns what fetch threw into one of our errors: our own from inside it, broken certificates, and all that may pass. */
export function connectionError(url: string, error: unknown): RetryableError | TerminalError {
  const chain = causes(error)
  const own = chain.find((cause) => cause instanceof TerminalError || cause instanceof RetryableError)
  if (own) return own
  const code = chain
    .map((cause) => (cause as NodeJS.ErrnoException).code)
    .findLast((found) => typeof found === 'string')
  const why = code ?? chain.at(-1)?.message ?? 'unknown reason'
  if (/CERT|SELF_SIGNED|^ERR_TLS|^ERR_SSL/.test(why)) {
    return new TerminalError('tls_failed', `${url} has no valid TLS certificate (${why}).`, {
      hint: 'Go on without this page.',
      cause: error,
    })
  }
  return new RetryableError('fetch_failed', `${url} could not be fetched (${why}).`, { cause: error })
}

function causes(error: unknown): Error[] {
  const chain: Error[] = []
  for (let cause = error; cause instanceof Error && chain.length < 10; cause = cause.cause) chain.push(cause)
  return chain
}
