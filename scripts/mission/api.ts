import { setTimeout as sleep } from 'node:timers/promises'
import type { z } from 'zod'
import { CommandError, mayPass, ProblemError, UnreachableError } from './errors.ts'
import { problemSchema } from './schemas.ts'

/** How long one request may take, in milliseconds; a stream of events has limits of its own. */
const REQUEST_MS = 60_000
/** Between two tries of a patient request, in milliseconds. */
const LONGEST_WAIT_MS = 32_000

export interface Api {
  url: string
  key: string | undefined
  /** Aborted when the person wants out. */
  interrupted: AbortSignal
}

export interface JsonRequest {
  method?: string
  body?: string
  headers?: Record<string, string>
}

/** An answer as it came, for `--json`, and as it was understood. */
export interface Answer<T> {
  raw: unknown
  value: T
}

/**
 * Asks the API for JSON.
 * @param path below `/api/v1/`
 * @throws ProblemError when it refuses, UnreachableError when no answer came, CommandError when the answer is not the API's
 */
export async function requestJson<T>(
  api: Api,
  schema: z.ZodType<T>,
  path: string,
  init: JsonRequest = {},
): Promise<Answer<T>> {
  const headers = {
    ...init.headers,
    accept: 'application/json',
    ...(init.body === undefined ? {} : { 'content-type': 'application/json' }),
  }
  const response = await send(api, path, { ...init, headers, signal: AbortSignal.timeout(REQUEST_MS) })
  const raw = parseJson(await readBody(api, () => response.text()))
  const parsed = schema.safeParse(raw)
  if (!parsed.success) throw notOurApi(api)
  return { raw, value: parsed.data }
}

interface Patience extends JsonRequest {
  /** Told of each trouble that may pass, before the wait; it may throw what is not worth waiting for. */
  onTrouble?: (error: ProblemError | UnreachableError) => void
}

/**
 * Asks as `requestJson` does, and tries again for about a minute where the trouble may pass. A request that changes
 * something needs an `Idempotency-Key` for that.
 */
export async function requestPatiently<T>(
  api: Api,
  schema: z.ZodType<T>,
  path: string,
  { onTrouble, ...init }: Patience = {},
): Promise<Answer<T>> {
  for (let wait = 250; ; wait *= 2) {
    let asked = 0
    try {
      return await requestJson(api, schema, path, init)
    } catch (error) {
      if (!mayPass(error) || wait > LONGEST_WAIT_MS) throw error
      asked = error instanceof ProblemError ? (error.retryAfterMs ?? 0) : 0
      if (asked > LONGEST_WAIT_MS) throw error
      onTrouble?.(error as ProblemError | UnreachableError)
    }
    await sleep(Math.max(wait, asked), undefined, { signal: api.interrupted })
  }
}

/** Reads a file's bytes; throws as `requestJson` does. */
export async function requestBytes(api: Api, path: string): Promise<Buffer> {
  const response = await send(api, path, { signal: AbortSignal.timeout(REQUEST_MS) })
  return Buffer.from(await readBody(api, () => response.arrayBuffer()))
}

/** Sends a request with the key and answers the response once it is a good one; throws as `requestJson` does. */
export async function send(api: Api, path: string, init: RequestInit): Promise<Response> {
  const headers = new Headers(init.headers)
  if (api.key !== undefined) headers.set('authorization', `Bearer ${api.key}`)
  const signal = init.signal ? AbortSignal.any([init.signal, api.interrupted]) : api.interrupted
  const target = new URL(`api/v1/${path}`, api.url.endsWith('/') ? api.url : `${api.url}/`)
  const response = await readBody(api, () => fetch(target, { ...init, headers, signal }))
  if (!response.ok) throw await refusal(api, response)
  return response
}

async function readBody<T>(api: Api, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    if (api.interrupted.aborted) throw error
    const cause = (error as Error).cause as Cause
    const refused = cause?.code === 'ECONNREFUSED'
    throw new UnreachableError(describeLoss(api, error, cause), { cause: error, refused })
  }
}

type Cause = { code?: string; message?: string } | undefined

function describeLoss(api: Api, error: unknown, cause: Cause): string {
  if (cause?.code === 'ECONNREFUSED') {
    return `Nothing answers at ${api.url}. Start it with npm start, or name another place with --url.`
  }
  if ((error as Error).name === 'TimeoutError') return `${api.url} did not answer in ${REQUEST_MS / 1000} seconds.`
  return `The connection to ${api.url} failed: ${cause?.message ?? cause?.code ?? (error as Error).message}.`
}

async function refusal(api: Api, response: Response): Promise<ProblemError> {
  const parsed = problemSchema.safeParse(parseJson(await readBody(api, () => response.text())))
  const problem = parsed.success
    ? parsed.data
    : { title: `${api.url} answered ${response.status} ${response.statusText}`.trim(), status: response.status }
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN)
  return new ProblemError(problem, Number.isFinite(seconds) ? seconds * 1000 : undefined)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function notOurApi(api: Api): CommandError {
  return new CommandError(`What answers at ${api.url} does not speak Taskforce's API. Check the address (--url).`)
}
