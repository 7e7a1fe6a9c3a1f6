import { z } from 'zod'
import { TerminalError } from '../../src/domain/errors.ts'
import type { Clock } from '../../src/engine/ports.ts'
import { duration } from '../mission/text.ts'
import type { DeployLog } from './deploy-log.ts'
import type { MigratorRequest } from './requests.ts'

/** Where the database stands, as the migrator answers it. */
const standingSchema = z.object({
  version: z.string(),
  /** Of the package that answers; one from before packages had it does not say. */
  build: z.string().optional(),
  codeRevision: z.int(),
  revision: z.int(),
  minCode: z.int(),
  pending: z.array(z.string()),
  drift: z.array(z.string()),
  drain: z.object({ by: z.string(), reason: z.string(), until: z.string().optional() }).nullable(),
  /** Missions that instances which live hold. */
  held: z.int(),
  done: z.array(z.string()).default([]),
  /** Of the unfinished missions after `after`, which can't be read; with `next` there are more. */
  check: z
    .object({
      checked: z.int(),
      unreadable: z.array(z.object({ id: z.string(), why: z.string() })),
      next: z.string().optional(),
    })
    .optional(),
  logins: z.array(z.object({ name: z.string(), created: z.boolean(), refused: z.array(z.string()) })).default([]),
})

export type Standing = z.infer<typeof standingSchema>

/** @param ends aborted where it need not be asked again; what was sent is waited for */
export type AskMigrator = (request: MigratorRequest, ends?: AbortSignal) => Promise<Standing>

export interface MigratorOptions {
  url: string
  key: string
  clock: Clock
  log: DeployLog
  /** Ends what is asked; but not a resume, which is how one clears up. */
  stop: AbortSignal
  /** The package that has to answer; absent: any. A new one takes a while to be the one that does. */
  expected?: { build: string }
}

/** The platform ends an answer at 230 s. */
const REQUEST_MS = 240_000
/** Of the last request, when little is left. */
const SHORTEST_MS = 30_000
const WAITS_MS = [5_000, 10_000, 15_000, 30_000, 30_000]
const LONGEST_WAIT_MS = 60_000
/** So long nothing may come of it. Migrations may take longer; then the platform cuts answers off, which shows that it works. */
const SILENT_MS = 600_000
const WORKS: ReadonlySet<MigratorRequest['action']> = new Set(['expand', 'all'])

/**
 * Asks the migrator, and again while it is not there yet or its answer was cut off: what it does goes on meanwhile, and a repeat
 * waits for that. Ten minutes without what was asked for are the end, and ten times where it migrates and its answers are cut off.
 * Throws TerminalError `migrate_refused` with its reason, `migrator_unreachable`.
 */
export function createMigrator(options: MigratorOptions): AskMigrator {
  const { url, clock, log, stop, expected } = options
  return async (request, ends) => {
    const waits = [...WAITS_MS]
    const stops = [...(request.action === 'resume' ? [] : [stop]), ...(ends === undefined ? [] : [ends])]
    const stopped = AbortSignal.any(stops)
    let silentSince = clock.monotonic()
    for (;;) {
      stopped.throwIfAborted()
      const left = SILENT_MS - (clock.monotonic() - silentSince)
      const answer = await post(options, request, Math.min(REQUEST_MS, Math.max(left, SHORTEST_MS)))
      if ('standing' in answer && isExpected(answer.standing, expected)) return answer.standing
      const why = 'standing' in answer ? `build ${answer.standing.build ?? 'of before'} still answers` : answer.why
      log.write(why)
      if ('isAnswer' in answer && answer.isAnswer && WORKS.has(request.action)) silentSince = clock.monotonic()
      const silentMs = clock.monotonic() - silentSince
      const wait = waits.shift() ?? LONGEST_WAIT_MS
      if (silentMs >= SILENT_MS) throw unreachable(url, why, silentMs)
      stopped.throwIfAborted()
      log.say(
        `The migrator does not answer yet (${why}): once more in ${wait / 1000} s, until ${duration(SILENT_MS)} have passed.`,
      )
      await clock.sleep(wait, stopped)
    }
  }
}

function isExpected(standing: Standing, expected: MigratorOptions['expected']): boolean {
  if (expected === undefined) return true
  return standing.build === expected.build
}

/** Any answer shows that somebody is there, also one that the platform cut off. */
type Posted = { standing: Standing } | { why: string; isAnswer: boolean }

async function post({ url, key, log }: MigratorOptions, request: MigratorRequest, limitMs: number): Promise<Posted> {
  log.write(`POST ${url}/migrate ${JSON.stringify(request)}`)
  try {
    const response = await fetch(new URL('/migrate', url), {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-functions-key': key },
      body: JSON.stringify(request),
      signal: AbortSignal.timeout(limitMs),
    })
    const body: unknown = await response.json().catch(() => undefined)
    if (response.status === 400 || response.status === 409) throw refused(body)
    const parsed = standingSchema.safeParse(body)
    if (!response.ok || !parsed.success) return { why: whyOf(response.status, body), isAnswer: true }
    log.write(JSON.stringify(parsed.data))
    return { standing: parsed.data }
  } catch (error) {
    if (error instanceof TerminalError) throw error
    return { why: reasonOf(error), isAnswer: false }
  }
}

const problemSchema = z.looseObject({ detail: z.string() })

function whyOf(status: number, body: unknown): string {
  const parsed = problemSchema.safeParse(body)
  return parsed.success ? `${status}: ${parsed.data.detail}` : String(status)
}

function refused(body: unknown): TerminalError {
  const parsed = problemSchema.safeParse(body)
  return new TerminalError(
    'migrate_refused',
    `The migrator refuses: ${parsed.success ? parsed.data.detail : 'no reason given'}`,
  )
}

function reasonOf(error: unknown): string {
  const { cause } = error as { cause?: { code?: string } }
  return cause?.code ?? (error instanceof Error ? error.message : String(error))
}

function unreachable(url: string, why: string, silentMs: number): TerminalError {
  return new TerminalError(
    'migrator_unreachable',
    `The migrator at ${url} does not do what it is asked for, for ${duration(silentMs)} (${why}).`,
    {
      hint: 'With private endpoints, run this inside the virtual network. Its log is in Application Insights, as cloud_RoleName of the migrator.',
    },
  )
}
