import { createParser } from 'eventsource-parser'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { ApiContext } from '../../src/api/endpoints.ts'
import { eventStream, streamLimits, type StreamLimits } from '../../src/api/event-stream.ts'
import type { ApiRequest, ApiResponse } from '../../src/api/http.ts'
import { events } from '../../src/api/missions/events.ts'
import { problem } from '../../src/api/problem.ts'
import { createDatabases, type Databases } from '../../src/db/connection.ts'
import { DEFAULT_TENANT } from '../../src/missions/context.ts'
import type { Refusal } from '../../src/missions/refusal.ts'
import { Watchers } from '../../src/missions/watchers.ts'
import { NOWHERE } from '../support/environment.ts'
import { createTestDatabase, withConnection, type TestDatabase } from '../support/postgres.ts'

const ENDED = '01999999-9999-7999-8999-000000000001'
const RUNNING = '01999999-9999-7999-8999-000000000002'
const COUNT = 500

let database: TestDatabase
let databases: Databases
let watchers: Watchers
beforeAll(async () => {
  database = await createTestDatabase()
  databases = createDatabases({ url: database.appUrl, pooler: undefined, onError: () => undefined })
  await withConnection(database.ownerUrl, async (owner) => {
    await owner.query(
      `with pinned as (
         insert into taskforce.profiles (tenant_id, hash, name, body) values ($2, 'h', 'dev', '{}')
       )
       insert into taskforce.missions (id, tenant_id, status, goal, profile, profile_hash)
       values ($1, $2, 'running', '', 'dev', 'h')`,
      [RUNNING, DEFAULT_TENANT],
    )
    await owner.query(
      `insert into taskforce.events (mission_id, seq, epoch, v, type, data, tenant_id)
       select id::uuid, n, 1, 1, case when n = $3::int and id = $1 then 'mission.completed' else 'model.answered' end,
         jsonb_build_object('text', repeat('é', 500)), $4::uuid
       from unnest(array[$1::text, $2::text]) id, generate_series(1, $3::int) n`,
      [ENDED, RUNNING, COUNT, DEFAULT_TENANT],
    )
  })
})
afterAll(async () => {
  await databases.close()
  await database.drop()
})

beforeEach(() => {
  watchers = new Watchers(databases.engine)
})

interface Read {
  ids: number[]
  names: Set<string | undefined>
  text: string
  bytes: number
}

async function readAll(
  missionId: string,
  afterSeq: number,
  limits: Partial<StreamLimits> = {},
  source = watchers,
): Promise<Read> {
  const read: Read = { ids: [], names: new Set(), text: '', bytes: 0 }
  const parser = createParser({
    onEvent: ({ id, event }) => {
      if (id !== undefined) read.ids.push(Number(id))
      read.names.add(event)
    },
  })
  const decoder = new TextDecoder()
  const reading = { missionId, tenantId: DEFAULT_TENANT, afterSeq }
  for await (const chunk of eventStream(source, reading, { ...streamLimits, ...limits })) {
    read.bytes += chunk.length
    read.text += decoder.decode(chunk, { stream: true })
  }
  parser.feed(read.text)
  return read
}

function following(seq: number): number[] {
  return Array.from({ length: COUNT - seq }, (_, index) => seq + index + 1)
}

describe('an event stream', () => {
  test('gives every event in order over several polls, and closes after the last', async () => {
    expect((await readAll(ENDED, 0)).ids).toEqual(following(0))
    expect((await readAll(ENDED, 499)).ids).toEqual([500])
  })

  test('closes itself at the end of its life, and loses nothing for who comes back', async () => {
    const { ids } = await readAll(RUNNING, 0, { lifetimeMs: 400 })
    expect(ids).toEqual(following(0).slice(0, ids.length))
    expect((await readAll(RUNNING, 490, { lifetimeMs: 400 })).ids).toEqual(following(490))
  })

  test('ends before the platform would cut it off, at 230 s, and says something before a proxy would', () => {
    const latest = streamLimits.lifetimeMs * 1.05
    expect(latest).toBeLessThan(230_000)
    expect(streamLimits.heartbeatMs).toBeLessThan(60_000)
  })

  test('shows that it lives while nothing happens', async () => {
    const { text, ids } = await readAll(RUNNING, COUNT, { lifetimeMs: 400, heartbeatMs: 20 })
    expect(ids).toEqual([])
    expect(text).toMatch(/^retry: 2000\n\n(: ping\n\n){2,}$/)
  })

  test('closes where more piles up than it may hold, and goes on at the next event', async () => {
    const maxBytes = 20_000
    const seen: number[] = []
    while (seen.at(-1) !== COUNT) {
      const { ids, bytes } = await readAll(ENDED, seen.at(-1) ?? 0, { maxBytes })
      expect(bytes).toBeLessThan(maxBytes + 2000)
      seen.push(...ids)
    }
    expect(seen).toEqual(following(0))
  })

  test('says so and closes where the database does not answer', async () => {
    const away = createDatabases({ url: NOWHERE.DATABASE_URL, pooler: undefined, onError: () => undefined })
    const { text, names } = await readAll(RUNNING, 0, {}, new Watchers(away.engine))
    expect(names).toEqual(new Set(['error']))
    expect(text).toMatch(/\n\nevent: error\ndata: {"code":"not_ready"}\n\n$/)
    await away.close()
  })
})

const PATH = `/api/v1/missions/${RUNNING}/events`

/** Asks the endpoint for a stream; `client` is what the host tells of who reads. */
async function ask(source: Watchers, client: Pick<ApiRequest, 'onClose'> = {}): Promise<ApiResponse> {
  const headers = new Headers({ accept: 'text/event-stream' })
  const request = { method: 'GET', url: `http://localhost${PATH}`, headers, body: null, ...client }
  const context = { missions: { databases }, watchers: source } as unknown as ApiContext
  return events(request, context, { tenantId: DEFAULT_TENANT, name: 'tester' })
}

test('a stream too many is refused with a time to come back', async () => {
  const refused = await ask(new Watchers(databases.engine, 0)).catch((error: unknown) =>
    problem(error as Refusal, PATH, 'i'),
  )
  expect(refused).toMatchObject({
    status: 429,
    headers: { 'content-type': 'application/problem+json', 'retry-after': '5' },
    body: expect.stringContaining('"code":"rate_limited"'),
  })
})

test('a client that is gone makes room for the next at once', async () => {
  const source = new Watchers(databases.engine, 1)
  const gone = Promise.withResolvers<() => void>()
  expect((await ask(source, { onClose: gone.resolve })).status).toBe(200)
  await expect(ask(source)).rejects.toMatchObject({ code: 'rate_limited' })
  ;(await gone.promise)()
  expect((await ask(source, { onClose: (listener) => listener() })).status).toBe(200)
  expect((await ask(source)).status).toBe(200)
})
