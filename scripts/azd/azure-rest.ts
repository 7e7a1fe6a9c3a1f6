import { z } from 'zod'
import { TerminalError } from '../../src/domain/errors.ts'
import type { Clock } from '../../src/engine/ports.ts'

export interface AzureRest {
  /** A token of whoever runs azd. */
  token(scope: string): Promise<string>
  fetch: typeof globalThis.fetch
  clock: Clock
  note(text: string): void
}

export interface Call {
  /** What it is for, as in "The API key was not made". */
  purpose: string
  method: 'GET' | 'PUT' | 'POST'
  url: string
  /** Of the token; absent: `headers` has what lets it in. */
  scope?: string
  headers?: Record<string, string>
  body?: unknown
  /** Answers beside 2xx that are one. */
  accept?: readonly number[]
  /** Why an answer is not the one that is waited for. */
  notYet?: (json: unknown) => string | undefined
  /** What to do where it was refused for good; absent: what helps after a first deployment. */
  hint?: string
  /** Milliseconds before each further attempt; absent: minutes in all. */
  waits?: readonly number[]
}

/** The platform ends an answer at 230 s. */
const REQUEST_MS = 240_000
/** Role assignments take minutes to be known, and a new app as long to answer. */
const WAITS_MS = [5_000, 10_000, 20_000, 30_000, 60_000, 60_000, 60_000, 60_000]
const MAY_PASS = new Set([401, 403, 404, 408, 429, 500, 502, 503, 504])

/** What Azure answers; asked again while a refusal may pass. Throws TerminalError `azure_refused`, without any secret in it. */
export async function ask(azure: AzureRest, call: Call): Promise<{ status: number; json: unknown }> {
  const waits = [...(call.waits ?? WAITS_MS)]
  for (;;) {
    const answer = await once(azure, call)
    if ('json' in answer) return answer
    const wait = answer.mayPass ? waits.shift() : undefined
    if (wait === undefined) throw refused(call, answer.why)
    azure.note(`${call.purpose} yet (${answer.why}): once more in ${wait / 1000} s.`)
    await azure.clock.sleep(wait)
  }
}

type Answer = { status: number; json: unknown } | { why: string; mayPass: boolean }

async function once(azure: AzureRest, call: Call): Promise<Answer> {
  const { method, url, scope, headers = {}, body, accept = [], notYet } = call
  const bearer = scope === undefined ? {} : { authorization: `Bearer ${await signIn(azure, scope)}` }
  try {
    const response = await azure.fetch(url, {
      method,
      headers: { 'content-type': 'application/json', ...bearer, ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(REQUEST_MS),
    })
    const text = await response.text()
    if (response.ok || accept.includes(response.status)) {
      const json = parsed(text)
      const why = notYet?.(json)
      return why === undefined ? { status: response.status, json } : { why, mayPass: true }
    }
    return { why: `${response.status}${detailOf(text)}`, mayPass: MAY_PASS.has(response.status) }
  } catch (error) {
    if (error instanceof SyntaxError) return { why: 'something that is no JSON', mayPass: true }
    return { why: error instanceof Error ? error.name : 'no answer', mayPass: true }
  }
}

/** A token of whoever runs azd. Throws TerminalError `not_signed_in`. */
export async function signIn({ token }: AzureRest, scope: string): Promise<string> {
  try {
    return await token(scope)
  } catch (cause) {
    throw new TerminalError('not_signed_in', 'Azure gave no token: nobody is signed in, or no longer.', {
      hint: 'Sign in with "azd auth login", and repeat.',
      cause,
    })
  }
}

function parsed(text: string): unknown {
  return text === '' ? undefined : (JSON.parse(text) as unknown)
}

const problemSchema = z.object({ detail: z.string() })

/** Our own app's words; Azure's name tenants and addresses. */
function detailOf(text: string): string {
  try {
    return ` ${problemSchema.parse(JSON.parse(text)).detail}`
  } catch {
    return ''
  }
}

const HINT =
  'With private endpoints this has to run inside the virtual network. After a first deployment roles take some minutes: "azd hooks run postprovision" and "azd hooks run postdeploy" go on from here.'

function refused({ purpose, url, hint = HINT }: Call, why: string): TerminalError {
  return new TerminalError('azure_refused', `${purpose}: ${new URL(url).host} says ${why}.`, { hint })
}
