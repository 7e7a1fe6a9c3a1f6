import { readRetryAfterMs } from '../../src/config/retry-after.ts'
import type { Clock } from '../../src/engine/ports.ts'
import type { DeployLog } from './deploy-log.ts'
import { patiently, type Attempt } from './patiently.ts'

/** Which app is asked, and with what. */
export interface AppAccess {
  url: string
  apiKey: string
  clock: Clock
  log: DeployLog
}

export interface SmokeOptions extends AppAccess {
  /** What has to answer: that build, or that version of a package from before packages had a build. */
  expected: { version: string; build?: string | undefined }
  goal: string
  profile: string | undefined
}

const REQUEST_MS = 60_000

/** What the platform answers while an instance goes or comes, and the app where it is asked too much. */
const PASSING: ReadonlySet<number> = new Set([429, 502, 503, 504])

export interface Answer {
  /** 0 where there was none. */
  status: number
  /** With no answer, why. */
  body: unknown
  /** When the server wants to be asked again. */
  retryAfterMs?: number | undefined
}

/** One request. */
export async function ask(url: string, path: string, headers: Record<string, string>, body?: object): Promise<Answer> {
  const init = {
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    signal: AbortSignal.timeout(REQUEST_MS),
  }
  try {
    const response = await fetch(new URL(path, url), init)
    return { status: response.status, body: parseJson(await response.text()), retryAfterMs: retryAfterOf(response) }
  } catch (error) {
    return { status: 0, body: lostWords(url, path, error) }
  }
}

/** The same with the key, and again while what comes is what passes. Throws TerminalError `smoke_failed`. */
export async function askPatiently(
  access: AppAccess,
  path: string,
  { headers = {}, body }: { headers?: Record<string, string>; body?: object } = {},
): Promise<Answer> {
  const { url, apiKey } = access
  return patiently(access, async () => {
    const answer = await ask(url, path, { ...headersOf(apiKey), ...headers }, body)
    return passing(answer, path) ?? { value: answer }
  })
}

/** Why to ask again; undefined where the answer stands. */
export function passing({ status, body, retryAfterMs }: Answer, path: string): Attempt<never> | undefined {
  if (status === 0) return { notYet: String(body) }
  if (!PASSING.has(status)) return undefined
  return { notYet: `${path} is answered with ${status} ${JSON.stringify(body).slice(0, 300)}`, retryAfterMs }
}

export function retryAfterOf({ headers }: Response): number | undefined {
  return readRetryAfterMs((name) => headers.get(name), Date.now())
}

export function lostWords(url: string, path: string, error: unknown): string {
  const { cause, message } = error as Error & { cause?: { code?: string } }
  return `${new URL(path, url).href} gives no answer (${cause?.code ?? message})`
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

export function headersOf(apiKey: string): Record<string, string> {
  return { authorization: `Bearer ${apiKey}` }
}
