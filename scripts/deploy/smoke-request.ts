import { TerminalError } from '../../src/domain/errors.ts'
import type { Clock } from '../../src/engine/ports.ts'
import type { DeployLog } from './deploy-log.ts'

export interface SmokeOptions {
  url: string
  apiKey: string
  /** What has to answer: that build, or that version of a package from before packages had a build. */
  expected: { version: string; build?: string | undefined }
  goal: string
  profile: string | undefined
  clock: Clock
  log: DeployLog
}

const REQUEST_MS = 60_000

export interface Answer {
  status: number
  body: unknown
}

/** One request. Throws TerminalError `smoke_failed` where no answer comes. */
export async function ask(url: string, path: string, headers: Record<string, string>, body?: object): Promise<Answer> {
  const init = {
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    signal: AbortSignal.timeout(REQUEST_MS),
  }
  try {
    const response = await fetch(new URL(path, url), init)
    return { status: response.status, body: parseJson(await response.text()) }
  } catch (error) {
    const { cause, message } = error as Error & { cause?: { code?: string } }
    throw failed(`${new URL(path, url).href} gives no answer (${cause?.code ?? message})`)
  }
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

export function failed(what: string): TerminalError {
  return new TerminalError('smoke_failed', `The smoke test failed: ${what}.`)
}
