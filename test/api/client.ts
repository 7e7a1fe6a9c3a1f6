import { createParser, type EventSourceMessage } from 'eventsource-parser'
import { expect, vi } from 'vitest'
import type { EventView } from '../../src/missions/read-journal.ts'
import type { MissionView } from '../../src/missions/view.ts'
import type { TestApp, TestEnvironment } from '../support/environment.ts'

export const MISSIONS = '/api/v1/missions'

export interface Answer {
  status: number
  type: string | null
  headers: Headers
  text: string
  /** Parsed where it is JSON. */
  body: unknown
}

export interface ProblemBody {
  type: string
  title: string
  status: number
  detail: string
  instance: string
  code: string
  errors?: { pointer: string; detail: string }[]
}

/** What every response of the app has, exactly once: a repeated header would come joined with a comma. */
const COMMON_HEADERS = {
  'strict-transport-security': 'max-age=31536000',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
}

/** Asks, and checks what holds for every answer of the app. */
export async function call(app: TestApp, path: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(app.url + path, { signal: AbortSignal.timeout(15_000), ...init })
  const { status, headers } = response
  const text = await response.text()
  expect(Object.fromEntries([...headers].filter(([name]) => name in COMMON_HEADERS))).toEqual(COMMON_HEADERS)
  expect(headers.get('cache-control')).toMatch(/^no-store(, no-transform)?$/)
  // S18: neither a stack trace nor a system key of the platform.
  expect(text).not.toMatch(/^\s+at .+:\d+|node_modules|code=/m)
  const type = headers.get('content-type')
  const body: unknown = type?.endsWith('json') === true ? JSON.parse(text) : undefined
  return { status, type, headers, text, body }
}

/** Sends text as it is, and anything else as JSON. */
export function post(app: TestApp, path: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return call(app, path, { method: 'POST', body: text, headers: { ...headers, 'content-type': 'application/json' } })
}

/** What an answer equals that is problem+json with this status and code; `pointers` are all that it names, in any order. */
export function problem(status: number, code: string, pointers: string[] = [], words = ''): Answer {
  const named = (errors: ProblemBody['errors']) =>
    JSON.stringify([...new Set(errors?.map(({ pointer }) => pointer))].sort()) === JSON.stringify([...pointers].sort())
  const body = {
    type: expect.stringMatching(/^(https:\/\/|about:blank$)/),
    title: expect.stringMatching(/\w/),
    status,
    detail: expect.toSatisfy((detail: string) => detail.includes(words) && detail.endsWith('.')),
    instance: expect.stringMatching(/^\/.*#[0-9a-f-]{36}$/),
    code,
    errors: pointers.length === 0 ? undefined : expect.toSatisfy(named, `names ${pointers.join(' ')}`),
  }
  return {
    status,
    type: 'application/problem+json',
    headers: expect.anything() as Headers,
    text: expect.any(String) as string,
    body,
  }
}

/** Runs `work` and expects the database to be as it was before; missions on the move may come to rest first. */
export async function withoutChange<T>(env: TestEnvironment, work: () => Promise<T>): Promise<T> {
  const moving = `select from taskforce.missions where owner is not null or (ended_at is null and wake_at <= now())`
  await vi.waitUntil(async () => (await env.owner.query(moving)).rowCount === 0, { timeout: 20_000, interval: 20 })
  const before = await env.snapshot()
  const result = await work()
  expect(await env.snapshot()).toEqual(before)
  return result
}

export async function create(app: TestApp, body: object, headers: Record<string, string> = {}): Promise<MissionView> {
  const answer = await post(app, MISSIONS, body, headers)
  expect(answer).toMatchObject({ status: 202, type: 'application/json' })
  return answer.body as MissionView
}

export async function read(app: TestApp, id: string, headers: Record<string, string> = {}): Promise<MissionView> {
  return (await call(app, `${MISSIONS}/${id}`, { headers })).body as MissionView
}

/** Waits until the mission has one of these statuses, and nobody works on it any more. */
export function reach(env: TestEnvironment, id: string, ...statuses: string[]): Promise<MissionView> {
  return vi.waitFor(
    async () => {
      const { rows } = await env.owner.query<{ status: string; owner: string | null }>(
        'select status, owner from taskforce.missions where id = $1',
        [id],
      )
      expect(rows).toEqual([{ status: expect.toBeOneOf(statuses), owner: null }])
      return read(env, id)
    },
    { timeout: 20_000, interval: 30 },
  )
}

/** A mission that has asked its question and waits for the answer. */
export async function waitingForAnswer(env: TestEnvironment): Promise<{ id: string; questionId: string }> {
  const { id } = await create(env, { goal: 'Ask me for my favourite colour and greet me with it' })
  const mission = await reach(env, id, 'waiting')
  return { id, questionId: mission.questions?.[0]?.questionId ?? '' }
}

/** The event table, as the API gives events. */
export async function journalOf(env: TestEnvironment, id: string): Promise<EventView[]> {
  const { rows } = await env.owner.query<{ seq: number; type: string; at: Date; data: unknown }>(
    'select seq, type, at, data from taskforce.events where mission_id = $1 order by seq',
    [id],
  )
  return rows.map((row) => ({ ...row, at: row.at.toISOString() }))
}

/** Gapless, and with exactly one event that ends it, the last one (I5). */
export async function expectEndedJournal(env: TestEnvironment, id: string): Promise<EventView[]> {
  const journal = await journalOf(env, id)
  expect(journal.map(({ seq }) => seq)).toEqual(journal.map((_, index) => index + 1))
  const ends = journal.filter(({ type }) => /^mission\.(completed|failed|cancelled)$/.test(type))
  expect(ends).toEqual([journal.at(-1)])
  return journal
}

export interface Stream {
  status: number
  headers: Headers
  events: EventSourceMessage[]
  text: string
}

/** Reads Server-Sent Events until the server closes, or `enough` says so: then the client cuts the connection. */
export async function follow(
  app: TestApp,
  path: string,
  {
    headers = {},
    enough = () => false,
  }: { headers?: Record<string, string>; enough?: (events: EventSourceMessage[]) => boolean } = {},
): Promise<Stream> {
  const cut = new AbortController()
  const all = new Headers(headers)
  all.set('accept', 'text/event-stream')
  const signal = AbortSignal.any([cut.signal, AbortSignal.timeout(20_000)])
  const response = await fetch(app.url + path, { headers: all, signal })
  const events: EventSourceMessage[] = []
  const parser = createParser({ onEvent: (event) => events.push(event) })
  let text = ''
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk
    parser.feed(chunk)
    if (enough(events)) break
  }
  cut.abort()
  return { status: response.status, headers: response.headers, events, text }
}
