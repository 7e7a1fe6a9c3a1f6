import type { Agent, Dispatcher } from 'undici'
import { readRetryAfterMs } from '../../config/retry-after.ts'
import { RetryableError, TerminalError } from '../../domain/errors.ts'
import { ownError } from '../../domain/own-error.ts'
import { decode, readContentType } from './body.ts'
import { exchange, NotConnected, permit, type EgressDependencies } from './exchange.ts'
import { answered, isTlsReason, reasonOf } from './failure.ts'

const MAX_TEXT_BYTES = 4096
/** These say that the receiver's address is another; after 302 and 303 it may have acted (RFC 9110 §15.4). */
const MOVED = new Set([301, 307, 308])

export interface Delivery {
  url: string
  /** JSON. */
  body: string
  /** Sent as `idempotency-key`, by which a receiver can know a repeated request. */
  key: string
}

/** A 2xx. */
export interface Receipt {
  /** "URL answered 202 Accepted". */
  summary: string
  /** The first 4 KiB of a textual body; absent where there is none, or where it could not be read. */
  text: string | undefined
}

/**
 * POSTs JSON once: no redirect is followed and nothing is sent again. A TerminalError says that the receiver did not act:
 * `invalid_url`, `egress_denied`, `address_denied`, `host_not_found`, `not_sent` (no connection), `redirected` (301, 307,
 * 308), `http_status` (4xx). A RetryableError leaves open whether it did: `http_status` (5xx and the like), `redirected`
 * (other 3xx), `send_failed`, `send_timeout`. Throws the signal's reason when it was aborted.
 */
export async function post(
  delivery: Delivery,
  origins: readonly string[],
  signal: AbortSignal,
  dependencies: EgressDependencies = {},
): Promise<Receipt> {
  const grant = permit(delivery.url, origins, 'egress.post')
  const url = grant.url.href
  const deadline = AbortSignal.timeout(dependencies.timeoutMs ?? 20_000)
  const stop = AbortSignal.any([signal, deadline])
  try {
    return await exchange(grant, dependencies, stop, (agent) => send(agent, { ...delivery, url }, stop))
  } catch (error) {
    if (signal.aborted) throw signal.reason
    throw ownUnlessUnsent(error) ?? failureOf(url, error, deadline.aborted)
  }
}

/** Not undici's fetch: that one sends a POST again by itself after a 421. */
async function send(agent: Agent, { url, body, key }: Delivery, signal: AbortSignal): Promise<Receipt> {
  const { origin, pathname, search } = new URL(url)
  const response = await agent.request({
    origin,
    path: pathname + search,
    method: 'POST',
    body,
    signal,
    headers: { 'content-type': 'application/json', 'idempotency-key': key, 'user-agent': 'taskforce' },
  })
  const text = await readHead(response)
  const status = response.statusCode
  const summary = answered(url, status)
  if (status >= 200 && status < 300) return { summary, text }
  const location = headerOf(response, 'location')
  if (status >= 300 && status < 400) throw redirectError(summary, status, location)
  if (status < 400 || status >= 500) throw new RetryableError('http_status', `${summary}. ${OPEN}`)
  throw refusal(
    summary,
    text,
    readRetryAfterMs((name) => headerOf(response, name), Date.now()),
  )
}

const OPEN = 'Whether it acted on the request is not known.'

function refusal(summary: string, text: string | undefined, waitMs: number | undefined): TerminalError {
  const said = text ? `: ${text.slice(0, 500).toWellFormed()}` : '.'
  const pause = waitMs === undefined ? '' : ` It asks to wait ${Math.ceil(waitMs / 1000)} s first.`
  return new TerminalError('http_status', summary + said, {
    hint: `The receiver refused the request. Call again only if you can set right what it objects to.${pause}`,
  })
}

function redirectError(summary: string, status: number, location: string | undefined): RetryableError | TerminalError {
  const message = `${summary} and points to ${location?.slice(0, 500) ?? 'nothing'}, which was not followed.`
  if (!MOVED.has(status)) return new RetryableError('redirected', `${message} ${OPEN}`)
  return new TerminalError('redirected', message, {
    hint: "If that is the right address, call again with it; the profile's egress.post must have its origin.",
  })
}

/** Never throws: the status alone says how it went. */
async function readHead(response: Dispatcher.ResponseData): Promise<string | undefined> {
  const { isText, charset } = readContentType(headerOf(response, 'content-type'))
  if (!isText || headerOf(response, 'content-encoding') !== undefined) return undefined
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    for await (const chunk of response.body as AsyncIterable<Buffer>) {
      chunks.push(chunk)
      bytes += chunk.length
      if (bytes > MAX_TEXT_BYTES) break
    }
  } catch {
    return undefined
  }
  const head = decode(Buffer.concat(chunks).subarray(0, MAX_TEXT_BYTES), charset)
  return bytes > MAX_TEXT_BYTES ? `${head}\n[cut after ${MAX_TEXT_BYTES} bytes]` : head
}

function headerOf({ headers }: Dispatcher.ResponseData, name: string): string | undefined {
  const value = headers[name]
  return Array.isArray(value) ? value[0] : value
}

/** Our own refusals keep their words; a resolver in trouble is one more way of not being sent. */
function ownUnlessUnsent(error: unknown): TerminalError | RetryableError | undefined {
  const own = ownError(error)
  return error instanceof NotConnected && own instanceof RetryableError ? undefined : own
}

function failureOf(url: string, error: unknown, late: boolean): TerminalError | RetryableError {
  if (error instanceof NotConnected) return notSent(url, late ? 'no connection in time' : reasonOf(error), error)
  if (late) return new RetryableError('send_timeout', `${url} did not answer in time. ${OPEN}`, { cause: error })
  const message = `The connection to ${url} broke (${reasonOf(error)}) before it answered. ${OPEN}`
  return new RetryableError('send_failed', message, { cause: error })
}

function notSent(url: string, why: string, cause: unknown): TerminalError {
  return new TerminalError('not_sent', `${url} could not be reached (${why}), so nothing was sent.`, {
    hint: isTlsReason(why)
      ? 'Its TLS certificate is not valid. Go on without this call, or tell the user.'
      : 'It may be called again, perhaps after a wait.',
    cause,
  })
}
