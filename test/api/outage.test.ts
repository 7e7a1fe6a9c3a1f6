import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { migrateUp } from '../../src/db/migrate/up.ts'
import { createLogins } from '../../src/db/roles.ts'
import { startPostgres, type LocalPostgres } from '../../src/local/postgres/start-postgres.ts'
import { startTestEnvironment, type TestEnvironment } from '../support/environment.ts'
import { APP, OWNER, urlFor } from '../support/global-setup.ts'
import { call, create, problem, follow, MISSIONS, post, reach, waitingForAnswer } from './client.ts'

/** I21: readiness follows the database within 10 s, both ways. */
const NOTICED = { timeout: 10_000, interval: 100 }

let folder = ''
let postgres: LocalPostgres
let env: TestEnvironment
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'taskforce-outage-'))
  postgres = await startPostgres({ dataDir: join(folder, 'postgres'), durable: false })
  env = await startTestEnvironment({}, makeDatabase)
})
afterAll(async () => {
  await env.stop()
  await postgres.stop()
  await rm(folder, { recursive: true, force: true })
})

async function makeDatabase() {
  const client = new Client({ connectionString: postgres.superUrl })
  await client.connect()
  await createLogins(client, { owner: OWNER, app: APP, database: 'taskforce' })
  await client.end()
  const url = (login: typeof OWNER) => urlFor(postgres.superUrl, login, 'taskforce')
  await migrateUp(url(OWNER))
  return { appUrl: url(APP), ownerUrl: url(OWNER), drop: async () => undefined }
}

async function readiness() {
  const answer = await call(env, '/health/ready')
  return { code: answer.status, ...(answer.body as { status: string; database: string }) }
}

describe('when the database goes away', () => {
  test('the API says so at once, and works again when it is back', async () => {
    const { id, questionId } = await waitingForAnswer(env)
    const path = `${MISSIONS}/${id}`
    expect(await readiness()).toMatchObject({ code: 200, database: 'connected' })
    const opened = Promise.withResolvers<void>()
    const enough = () => (opened.resolve(), false)
    const stream = follow(env, `${path}/events`, { enough })
    await opened.promise
    await postgres.stop()

    await vi.waitFor(
      async () =>
        expect(await readiness()).toMatchObject({ code: 503, status: 'unavailable', database: 'unreachable' }),
      NOTICED,
    )
    expect((await call(env, '/health')).status).toBe(200)
    const answers = await Promise.all([
      post(env, MISSIONS, { goal: 'Say hello' }, { 'idempotency-key': 'through-an-outage' }),
      call(env, MISSIONS),
      call(env, path),
      call(env, `${path}/events`),
      call(env, `${path}/events`, { headers: { accept: 'text/event-stream' } }),
      call(env, `${path}/files`),
      call(env, `${MISSIONS}/${randomUUID()}`),
      post(env, `${path}/cancel`, ''),
      post(env, `${path}/answers`, { questionId, answer: 'red' }),
    ])
    for (const answer of answers) {
      expect(answer).toEqual(problem(503, 'not_ready'))
      expect(answer.headers.get('retry-after')).toBe('5')
    }
    expect(await post(env, MISSIONS, {})).toEqual(problem(400, 'invalid_request', ['/goal']))
    const { events } = await stream
    expect(events.at(-1)).toMatchObject({ event: 'error', data: '{"code":"not_ready"}' })

    postgres = await startPostgres({ dataDir: join(folder, 'postgres'), durable: false, port: postgres.port })
    await vi.waitFor(async () => expect(await readiness()).toMatchObject({ code: 200, database: 'connected' }), NOTICED)
    expect((await post(env, `${path}/answers`, { questionId, answer: 'red' })).status).toBe(200)
    expect((await reach(env, id, 'completed')).result?.text).toContain('red')
    const retried = await create(env, { goal: 'Say hello' }, { 'idempotency-key': 'through-an-outage' })
    await reach(env, retried.id, 'completed')
    expect((await env.snapshot()).missions).toBe(2)
  }, 60_000)
})
