import type { EventSourceMessage } from 'eventsource-parser'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { EventView } from '../../src/missions/read-journal.ts'
import { startTestEnvironment, type TestEnvironment } from '../support/environment.ts'
import { call, create, problem, follow, journalOf, MISSIONS, post, reach, waitingForAnswer } from './client.ts'

interface Page {
  items: EventView[]
  nextAfter: number | null
}

let env: TestEnvironment
let journal: EventView[] = []
let path = ''
beforeAll(async () => {
  env = await startTestEnvironment()
  const { id } = await create(env, { goal: 'Make a plan with five items and work through them' })
  await reach(env, id, 'completed')
  journal = await journalOf(env, id)
  path = `${MISSIONS}/${id}/events`
})
afterAll(() => env.stop())

/** An event of the stream, as the page of JSON would have it; its id and name have to agree with what is in it. */
function unwrap({ id, event, data }: EventSourceMessage): EventView {
  const view = JSON.parse(data) as EventView
  expect([id, event]).toEqual([String(view.seq), view.type])
  return view
}

describe('events as pages of JSON', () => {
  const page = async (query: string) => (await call(env, path + query)).body as Page

  test('are the event table, for who does not ask for a stream', async () => {
    expect(journal.length).toBeGreaterThan(8)
    expect(await page('')).toEqual({ items: journal, nextAfter: null })
    const any = await call(env, path, { headers: { accept: '*/*' } })
    expect(any.headers.get('content-type')).toBe('application/json')
  })

  test('go on from nextAfter to the end, each event once', async () => {
    const seen: EventView[] = []
    let after: number | null = 0
    while (after !== null) {
      const { items, nextAfter }: Page = await page(`?after=${after}&limit=3`)
      expect(nextAfter).toBe(seen.length + 3 < journal.length ? items.at(-1)?.seq : null)
      seen.push(...items)
      after = nextAfter
    }
    expect(seen).toEqual(journal)
  })

  test('are none after the last one', async () => {
    expect(await page(`?after=${journal.length}`)).toEqual({ items: [], nextAfter: null })
  })

  test.each([
    ['after=-1', '/after'],
    ['after=x', '/after'],
    ['after=', '/after'],
    ['after=0x1', '/after'],
    ['after=2147483648', '/after'],
    ['limit=0', '/limit'],
    ['limit=1001', '/limit'],
    ['until=9', '/until'],
    ['deltas=1', '/deltas'],
  ])('refuses ?%s', async (query, pointer) => {
    expect(await call(env, `${path}?${query}`)).toEqual(problem(400, 'invalid_request', [pointer]))
  })
})

describe('events as a stream', () => {
  test('come with the headers that keep proxies from holding them back', async () => {
    const { status, headers, text } = await follow(env, path)
    expect(status).toBe(200)
    expect(Object.fromEntries(headers)).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
      'x-content-type-options': 'nosniff',
      'strict-transport-security': 'max-age=31536000',
      'x-frame-options': 'DENY',
    })
    expect(text).toMatch(/^retry: 2000\n\n/)
  })

  test('are the event table from every position on, and end with the journal (I6)', async () => {
    for (const { seq } of journal.slice(0, -1)) {
      const fromHeader = await follow(env, path, { headers: { 'last-event-id': `${seq}` } })
      expect(fromHeader.events.map(unwrap)).toEqual(journal.slice(seq))
      const fromQuery = await follow(env, `${path}?after=${seq}`)
      expect(fromQuery.events).toEqual(fromHeader.events)
    }
    expect((await follow(env, path)).events.map(unwrap)).toEqual(journal)
  })

  test('come with messages of no event for those who ask for them, who can leave them out', async () => {
    expect((await follow(env, `${path}?deltas=true`)).events.map(unwrap)).toEqual(journal)
  })

  test('go on from Last-Event-ID where the address says something else', async () => {
    const { events } = await follow(env, `${path}?after=1`, { headers: { 'last-event-id': '3' } })
    expect(events[0]?.id).toBe('4')
  })

  test('are none for who has seen all, with a 204 that tells a browser to stop', async () => {
    for (const seen of [journal.length, journal.length + 7]) {
      const { status, text } = await follow(env, path, { headers: { 'last-event-id': `${seen}` } })
      expect([status, text]).toEqual([204, ''])
    }
  })

  test.each(['x', '-1', '1.5', '1e1', '99999999999'])('refuse the Last-Event-ID %s', async (id) => {
    const headers = { accept: 'text/event-stream', 'last-event-id': id }
    expect(await call(env, path, { headers })).toEqual(problem(400, 'invalid_request', ['/last-event-id']))
  })

  test('of a mission that runs come whole through cuts after every event (F53, I6)', async () => {
    const { id, questionId } = await waitingForAnswer(env)
    const seen: EventView[] = []
    for (let ended = false; !ended; ended = /^mission\.(completed|failed)$/.test(seen.at(-1)?.type ?? '')) {
      const resume: Record<string, string> = seen.length === 0 ? {} : { 'last-event-id': `${seen.length}` }
      if (seen.at(-1)?.type === 'question.asked') {
        await post(env, `${MISSIONS}/${id}/answers`, { questionId, answer: 'red' })
      }
      const { events } = await follow(env, `${MISSIONS}/${id}/events`, {
        headers: resume,
        enough: ({ length }) => length > 0,
      })
      seen.push(...events.slice(0, 1).map(unwrap))
    }
    expect(seen).toEqual(await journalOf(env, id))
  })

  test('come to many readers of several missions at once', async () => {
    const ids = await Promise.all([1, 2, 3].map(async () => (await create(env, { goal: 'Say hello' })).id))
    const streams = await Promise.all(
      [...ids, ...ids, ...ids].map(async (id) => ({ id, ...(await follow(env, `${MISSIONS}/${id}/events`)) })),
    )
    for (const { id, events } of streams) expect(events.map(unwrap)).toEqual(await journalOf(env, id))
  })
})
