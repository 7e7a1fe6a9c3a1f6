import type { LookupFunction } from 'node:net'
import type { buildConnector, Response } from 'undici'
import { RetryableError, TerminalError } from '../../domain/errors.ts'
import { readText } from './body.ts'
import { decide, type Decision } from './decide.ts'
import { connectionError, statusError } from './failure.ts'
import { guardedLookup, systemResolve, type Resolve } from './lookup.ts'

const MAX_REDIRECTS = 5
const REDIRECTS = new Set([301, 302, 303, 307, 308])

/** What tests replace; production uses the system's resolver and undici's own connector. */
export interface GetDependencies {
  resolve?: Resolve
  connect?: (lookup: LookupFunction) => buildConnector.connector
  /** Most bytes of a body after decompression; 2 MiB when absent. */
  maxBytes?: number
  /** For all hops together; 20 s when absent. */
  timeoutMs?: number
}

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
  dependencies: GetDependencies = {},
): Promise<Page> {
  const deadline = AbortSignal.timeout(dependencies.timeoutMs ?? 20_000)
  let address = start
  try {
    for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
      const outcome = await getOnce(allowed(address, start, allow), AbortSignal.any([signal, deadline]), dependencies)
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

type Allowed = Extract<Decision, { allowed: true }>

function allowed(address: string, start: string, allow: readonly string[]): Allowed {
  const decision = decide(address, allow)
  if (decision.allowed) return decision
  const way = address === start ? '' : `${start} redirects to ${address}: `
  throw new TerminalError(decision.code, way + decision.reason, {
    hint: "The profile's egress.allow lists the origins that tools may reach. Go on without this page, or ask the user to have it added.",
  })
}

/** One hop: the page, or the address that it redirects to. */
async function getOnce(
  { url, reach }: Allowed,
  signal: AbortSignal,
  dependencies: GetDependencies,
): Promise<Page | string> {
  const { Agent, fetch } = await import('undici')
  const lookup = guardedLookup(reach, dependencies.resolve ?? systemResolve)
  // An agent a hop: no pooled connection outlives the decision that allowed it. A plain Agent reads no proxy variables.
  const dispatcher = new Agent({ connect: dependencies.connect?.(lookup) ?? { lookup }, allowH2: false })
  try {
    const response = await fetch(url.href, {
      dispatcher,
      redirect: 'manual',
      signal,
      headers: { accept: 'text/html, application/json, application/xml, text/*;q=0.9', 'user-agent': 'taskforce' },
    })
    const location = redirectOf(response)
    if (location !== undefined) return URL.parse(location, url.href)?.href ?? location
    if (!response.ok) throw statusError(url.href, response.status, response.headers.get('retry-after'))
    return { url: url.href, ...(await readText(response, url.href, dependencies.maxBytes ?? 2 * 1024 * 1024)) }
  } finally {
    await dispatcher.destroy()
  }
}

function redirectOf(response: Response): string | undefined {
  return REDIRECTS.has(response.status) ? (response.headers.get('location') ?? undefined) : undefined
}
