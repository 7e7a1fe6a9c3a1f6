import { BlobServiceClient } from '@azure/storage-blob'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTestEnvironment, type TestEnvironment } from '../support/environment.ts'
import { call, create, post, problem, type Answer } from './client.ts'

const BACKUPS = '/api/v1/admin/backups'
const KEY = 'the-key-of-this-deployment'
const WITH_KEY = { authorization: `Bearer ${KEY}` }

let env: TestEnvironment
beforeAll(async () => {
  env = await startTestEnvironment({ AUTH: 'keys', TASKFORCE_API_KEY: KEY })
})
afterAll(() => env.stop())

const get = (path: string): Promise<Answer> => call(env, path, { headers: WITH_KEY })
const send = (path: string, body: unknown = {}): Promise<Answer> => post(env, path, body, WITH_KEY)

interface Made {
  name: string
  rows: number
}

async function make(): Promise<Made> {
  // Two of one second would have one name.
  await new Promise((resolve) => setTimeout(resolve, 1_000))
  const answer = await send(BACKUPS)
  expect(answer.status).toBe(201)
  return answer.body as Made
}

describe('the routes of backups', () => {
  const routes: [method: 'GET' | 'POST', path: string][] = [
    ['GET', BACKUPS],
    ['POST', BACKUPS],
    ['GET', `${BACKUPS}/taskforce_backup_20260101_000000`],
    ['POST', `${BACKUPS}/taskforce_backup_20260101_000000/verify`],
    ['POST', `${BACKUPS}/taskforce_backup_20260101_000000/drill`],
    ['POST', `${BACKUPS}/prune`],
  ]

  test.each(routes)('%s %s is closed without the right key', async (method, path) => {
    for (const headers of [{}, { authorization: `Bearer ${KEY}x` }]) {
      const init = method === 'GET' ? { headers } : { method, headers, body: '{}' }
      expect(await call(env, path, init)).toEqual(problem(401, 'unauthenticated'))
    }
  })

  test('make one, which is then listed, shown and verified', async () => {
    await create(env, { goal: 'Say hello' }, WITH_KEY)
    const made = await make()
    expect(made).toMatchObject({ verified: true, drift: [], rows: expect.any(Number) })
    expect((await get(BACKUPS)).body).toEqual({
      items: expect.arrayContaining([expect.objectContaining({ name: made.name, verified: true, rows: made.rows })]),
    })
    const shown = await get(`${BACKUPS}/${made.name}`)
    expect(shown.body).toMatchObject({ name: made.name, manifest: { format: 1, contents: { drift: [] } } })
    expect((await send(`${BACKUPS}/${made.name}/verify`)).body).toEqual({ name: made.name, ok: true })
    expect((await get('/health/ready')).body).toMatchObject({ checks: { backup: { status: 'pass' } } })
  })

  test('drill one, and readiness knows of it', async () => {
    const { name } = await make()
    const { status, body } = await send(`${BACKUPS}/${name}/drill`)
    expect([status, body]).toEqual([
      200,
      expect.objectContaining({ name, ok: true, checks: expect.arrayContaining([{ name: 'gapless', ok: true }]) }),
    ])
    expect((await env.owner.query(`select ok from taskforce.upkeep where kind = 'drill'`)).rows).toEqual([{ ok: true }])
  })

  test('answer 201 with the place of what was made', async () => {
    await new Promise((resolve) => setTimeout(resolve, 1_000))
    const { headers, body } = await send(BACKUPS)
    expect(headers.get('location')).toBe(`${BACKUPS}/${(body as Made).name}`)
  })

  test('say what is wrong with one that was damaged', async () => {
    const { name } = await make()
    const service = BlobServiceClient.fromConnectionString(env.settings['JOBS_STORAGE'] ?? '')
    const blob = service.getContainerClient('backups').getBlockBlobClient(`${name}.sql.zst`)
    const bytes = await blob.downloadToBuffer()
    bytes[150] = (bytes[150] ?? 0) ^ 1
    await blob.uploadData(bytes)
    const answer = await send(`${BACKUPS}/${name}/verify`)
    expect([answer.status, answer.body]).toEqual([200, { name, ok: false, why: expect.stringMatching(/\w/) }])
    expect((await send(`${BACKUPS}/${name}/drill`)).body).toMatchObject({ name, ok: false, checks: [{ ok: false }] })
  })

  test('prune by the rule, and tell what a dry run would do', async () => {
    await make()
    const { status, body } = await send(`${BACKUPS}/prune`, { dryRun: true })
    expect([status, body]).toEqual([200, expect.objectContaining({ removed: [], wouldRemove: [], held: [] })])
  })

  test.each([['taskforce_backup_20200101_000000'], ['..%2f..%2fsecrets'], ["' or 1=1"], ['x'.repeat(300)]])(
    'know no backup %s',
    async (name) => {
      expect(await get(`${BACKUPS}/${encodeURIComponent(name)}`)).toEqual(problem(404, 'not_found'))
      expect(await send(`${BACKUPS}/${encodeURIComponent(name)}/verify`)).toEqual(problem(404, 'not_found'))
    },
  )

  test('take no member that they do not know', async () => {
    expect(await send(BACKUPS, { where: '/etc' })).toEqual(problem(400, 'invalid_request', ['/where']))
    expect(await send(`${BACKUPS}/taskforce_backup_20200101_000000/drill`)).toEqual(problem(404, 'not_found'))
    expect(await send(`${BACKUPS}/prune`, { dryRun: 'yes' })).toEqual(problem(400, 'invalid_request', ['/dryRun']))
  })

  test('refuse a second backup while one is under way', async () => {
    const lock = await env.owner.connect()
    await lock.query('select pg_advisory_lock(1952543595, 2)')
    try {
      const answer = await send(BACKUPS)
      expect(answer).toEqual(problem(409, 'illegal_state', [], 'under way'))
      expect(answer.body).toMatchObject({ title: 'Another backup or drill is under way' })
    } finally {
      await lock.query('select pg_advisory_unlock(1952543595, 2)')
      lock.release()
    }
  })
})
