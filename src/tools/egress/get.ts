import type { Response } from 'undici'
import { readRetryAfterMs } from '../../config/retry-after.ts'
import { RetryableError, TerminalError } from '../../domain/errors.ts'
import { readText } from './body.ts'
import type { Grant } from './decide.ts'
import { exchange, permit, type EgressDependencies } from './exchange.ts'
import { connectionError, statusError } from './failure.ts'

const MAX_REDIRECTS = 5
const REDIRECTS = new Set([301, 302, 303, 307, 308])

export interface Page {
  /** Where the content came from, after redirects. */
  url: string
  /** Lower case, without parameters. */
  type: string
  text: string
}

/**
 * GETs a text over http or https, checking the allow list at each of up to 5 redirects and every address before connecting.
 * TerminalError: `invalid_url`, `egress_denied`, `address_denied`, `host_not_found`, `too_many_redirects`, `http_status`,
 * `not_text`, `too_large`, `tls_failed`. RetryableError: `dns_failed`, `fetch_failed`, `fetch_timeout`, `http_status` for
 * 408, 425, 429 and 5xx. Throws the signal's reason when it was aborted.
 */
export async function get(
  start: string,
  allow: readonly string[],
  signal: AbortSignal,
  dependencies: EgressDependencies = {},
): Promise<Page> {
  const deadline = AbortSignal.timeout(dependencies.timeoutMs ?? 20_000)
  let address = start
  try {
    for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
      const way = address === start ? '' : `${start} redirects to ${address}: `
      const grant = permit(address, allow, 'egress.allow', way)
      const outcome = await getOnce(grant, AbortSignal.any([signal, deadline]), dependencies)
      if (typeof outcome !== 'string') return outcome
      address = outcome
    }
  } catch (error) {
    if (signal.aborted) throw signal.reason
    if (deadline.aborted)
      throw new RetryableError('fetch_timeout', `${address} did not answer in time.`, { cause: error })
    throw connectionError(address, error)
  }
  throw new TerminalError('too_many_redirects', `${start} redirects more than ${MAX_REDIRECTS} times.`, {
    hint: `The last redirect was to ${address}.`,
  })
}

/** One hop: the page, or the address that it redirects to. */
async function getOnce(grant: Grant, signal: AbortSignal, dependencies: EgressDependencies): Promise<Page | string> {
  const { fetch } = await import('undici')
  const url = grant.url.href
  return exchange(grant, dependencies, signal, async (dispatcher) => {
    const response = await fetch(url, {
      dispatcher,
      redirect: 'manual',
      signal,
      headers: { accept: 'text/html, application/json, application/xml, text/*;q=0.9', 'user-agent': 'taskforce' },
    })
    const location = redirectOf(response)
    if (location !== undefined) return URL.parse(location, url)?.href ?? location
    if (!response.ok) {
      const retryAfterMs = readRetryAfterMs((name) => response.headers.get(name), Date.now())
      throw statusError(url, response.status, retryAfterMs)
    }
    return { url, ...(await readText(response, url, dependencies.maxBytes ?? 2 * 1024 * 1024)) }
  })
}

function redirectOf(response: Response): string | undefined {
  return REDIRECTS.has(response.status) ? (response.headers.get('location') ?? undefined) : undefined
}
