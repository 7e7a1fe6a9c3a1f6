import { randomUUID } from 'node:crypto'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import {
  NOWHERE,
  startTestApp,
  startTestEnvironment,
  type Settings,
  type TestApp,
  type TestEnvironment,
} from '../support/environment.ts'
import { CODE_REVISION } from '../../src/db/schema-revision.ts'
import { call, create, problem, MISSIONS, post, withoutChange, type Answer } from '../api/client.ts'

interface Ready {
  status: string
  database: string
  version: string
  timestamp: string
  checks: Record<string, { status: string; detail?: string; observed?: unknown }>
}

const KEY = 'the-key-of-this-deployment'
const WITH_KEY = { authorization: `Bearer ${KEY}` }

let env: TestEnvironment
beforeAll(async () => {
  env = await startTestEnvironment({ AUTH: 'keys', TASKFORCE_API_KEY: KEY })
})
afterAll(() => env.stop())

const started: TestApp[] = []
afterEach(async () => {
  for (const app of started.splice(0)) await app.stop()
})

async function startApp(settings: Settings, edit?: (folder: string) => Promise<void>): Promise<TestApp> {
  const app = await startTestApp(settings, edit)
  started.push(app)
  return app
}

async function ready(app: TestApp, headers: Record<string, string> = {}): Promise<{ status: number; body: Ready }> {
  const answer = await call(app, '/health/ready', { headers })
  expect(answer.headers.get('content-type')).toBe('application/json')
  return { status: answer.status, body: answer.body as Ready }
}

/** The words of all checks; only who may know them should get any. */
function details({ checks }: Ready): string {
  return Object.values(checks)
    .map(({ detail, observed }) => (detail ?? '') + JSON.stringify(observed ?? ''))
    .join('; ')
}

describe('with AUTH=keys', () => {
  const id = randomUUID()
  const routes: [method: 'GET' | 'POST', path: string][] = [
    ['POST', MISSIONS],
    ['GET', MISSIONS],
    ['GET', `${MISSIONS}/${id}`],
    ['GET', `${MISSIONS}/${id}/events`],
    ['GET', `${MISSIONS}/${id}/files`],
    ['GET', `${MISSIONS}/${id}/files/a`],
    ['POST', `${MISSIONS}/${id}/cancel`],
    ['POST', `${MISSIONS}/${id}/answers`],
  ]
  const ask = (method: 'GET' | 'POST', path: string, headers: Record<string, string>): Promise<Answer> =>
    method === 'GET' ? call(env, path, { headers }) : post(env, path, { goal: 'Say hello' }, headers)

  test.each(routes)('%s %s is closed without the right key, and changes nothing', async (method, path) => {
    const wrong: Record<string, string>[] = [
      {},
      { authorization: '' },
      { authorization: 'Bearer' },
      { authorization: KEY },
      { authorization: `Basic ${KEY}` },
      { authorization: `Bearer ${KEY.slice(0, -1)}` },
      { authorization: `Bearer ${KEY}x` },
      { authorization: `Bearer ${KEY} x` },
      { authorization: `Bearer ${KEY.toUpperCase()}` },
      { 'x-functions-key': KEY },
      { 'x-ms-client-principal': Buffer.from('{"userId":"admin"}').toString('base64') },
    ]
    for (const headers of wrong) {
      const answer = await withoutChange(env, () => ask(method, path, headers))
      expect(answer).toEqual(problem(401, 'unauthenticated'))
      expect(answer.headers.get('www-authenticate')).toBe('Bearer')
    }
  })

  test.each(routes)('%s %s is open with the key', async (method, path) => {
    expect((await ask(method, path, WITH_KEY)).status).not.toBe(401)
    expect((await ask(method, path, { authorization: `bearer  ${KEY}` })).status).not.toBe(401)
  })

  test('no body, query or path can take the place of the header', async () => {
    const headers = { Authorization: `Bearer ${KEY}` }
    const forged = [
      () => post(env, MISSIONS, { goal: 'Say hello', Headers: headers, headers }),
      () => post(env, MISSIONS, { Headers: { ...headers, 'content-type': 'application/json' }, Query: {} }),
      () => post(env, `${MISSIONS}?Headers=${encodeURIComponent(JSON.stringify(headers))}`, { goal: 'Say hello' }),
      () => call(env, `${MISSIONS}?authorization=Bearer%20${KEY}&code=${KEY}`),
    ]
    for (const request of forged) expect(await withoutChange(env, request)).toEqual(problem(401, 'unauthenticated'))
  })

  test('a query that takes the name of the headers loses the key, and nothing is done', async () => {
    const answer = await withoutChange(env, () => post(env, `${MISSIONS}?Headers=x`, { goal: 'Say hello' }, WITH_KEY))
    expect(answer).toEqual(problem(401, 'unauthenticated'))
  })

  test('a query that takes the name of the id does not lead to another mission', async () => {
    const [mine, other] = [await create(env, { goal: 'Say hello' }, WITH_KEY), randomUUID()]
    const answer = await call(env, `${MISSIONS}/${mine.id}?ID=${other}&id=${other}`, { headers: WITH_KEY })
    expect((answer.body as { id: string }).id).toBe(mine.id)
  })
})

describe('the health of a working app', () => {
  test('needs no key and tells nothing but the version and the build', async () => {
    const answer = await call(env, '/health')
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/json'])
    expect(answer.body).toEqual({
      status: 'healthy',
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      build: expect.stringMatching(/^[0-9a-f]{16}$/),
      timestamp: expect.stringMatching(/Z$/),
    })
  })

  test.each([{}, { authorization: 'Bearer wrong' }])('has no details without the key: %j', async (headers) => {
    const { status, body } = await ready(env, headers as Record<string, string>)
    expect([status, body.status, body.database]).toEqual([200, expect.toBeOneOf(['ready', 'degraded']), 'connected'])
    expect(Object.keys(body).sort()).toEqual(['checks', 'database', 'status', 'timestamp', 'version'])
    expect(Object.keys(body.checks)).toEqual(
      expect.arrayContaining(['database', 'schema', 'config', 'queue', 'blobs', 'model', 'sweep']),
    )
    for (const check of Object.values(body.checks)) expect(Object.keys(check)).toEqual(['status'])
  })

  test('has details with the key', async () => {
    const { body } = await ready(env, WITH_KEY)
    expect(body.checks['model']?.detail).toContain('scripted')
    expect([body.checks['queue'], body.checks['blobs']]).toEqual([{ status: 'pass' }, { status: 'pass' }])
    expect(body.checks['schema']?.observed).toMatchObject({ revision: CODE_REVISION })
  })
})

/** The app loads; what it can't do it says with a code, and to whom may know it, with the reason. */
const NOT_READY = {
  health: 200,
  ready: 503,
  status: 'unavailable',
  words: expect.any(String) as string,
  refused: problem(503, 'not_ready'),
}

async function look(app: TestApp, headers: Record<string, string> = {}): Promise<typeof NOT_READY> {
  const { status, body } = await ready(app, headers)
  return {
    health: (await call(app, '/health')).status,
    ready: status,
    status: body.status,
    words: details(body),
    refused: await post(app, MISSIONS, { goal: 'Say hello' }, headers),
  }
}

describe('an app with half of an optional part', () => {
  test('works without it, is degraded, and names what is missing, with the hosts of its servers alone', async () => {
    const app = await startApp({
      ...env.settings,
      AUTH: 'off',
      OPENAI_MODEL: 'mine',
      OPENAI_BASE_URL: `${env.settings['OPENAI_BASE_URL']}?key=hidden`,
      AZURE_OPENAI_ENDPOINT: 'https://x.invalid',
      AZURE_SEARCH_API_KEY: 'hidden',
    })
    const { status, body } = await ready(app)
    expect([status, body.status]).toEqual([200, 'degraded'])
    const { config, model, search } = body.checks
    const { host } = new URL(env.settings['OPENAI_BASE_URL'] ?? '')
    const notUsed = 'AZURE_OPENAI_DEPLOYMENT is not set, so AZURE_OPENAI_ENDPOINT is not used'
    expect(config).toEqual({ status: 'pass' })
    expect(model).toEqual({
      status: 'warn',
      detail: `mine at ${host} (configured; not called by this check); ${notUsed}`,
    })
    expect(search).toEqual({
      status: 'warn',
      detail: 'off: AZURE_SEARCH_ENDPOINT is not set, so AZURE_SEARCH_API_KEY is not used',
    })
    expect(app.logs.map(({ message }) => message).join('')).toContain('app.misconfigured')
  })

  test('names the deployment where that was the only model', async () => {
    const app = await startApp({ ...NOWHERE, AUTH: 'off', AZURE_OPENAI_ENDPOINT: 'https://x.invalid' })
    const { body } = await ready(app)
    expect(body.checks['model']).toMatchObject({
      status: 'warn',
      detail: expect.stringMatching(/^no model: AZURE_OPENAI_DEPLOYMENT is not set/),
    })
  })
})

describe('an app that is not configured right', () => {
  const nothing = expect.toSatisfy((words: string) => !/\w/.test(words)) as string

  test('loads without any setting, and tells strangers nothing', async () => {
    const app = await startApp({})
    expect(await look(app)).toEqual({ ...NOT_READY, words: nothing })
  })

  test('names every wrong setting with its reason, and never its value', async () => {
    const app = await startApp({
      ...NOWHERE,
      AUTH: 'off',
      DATABASE_URL: 'mysql://me:hidden-password@there/db',
      LOG_LEVEL: 'loud-secret',
    })
    const seen = await look(app)
    expect(seen).toEqual(NOT_READY)
    expect(seen.words).toMatch(/environment: DATABASE_URL \S.*postgresql:.*environment: LOG_LEVEL \S/)
    expect(seen.words).not.toMatch(/hidden-password|loud-secret/)
    expect(seen.refused.headers.get('retry-after')).toBe('5')
  })

  test.each(['WEBSITE_SITE_NAME', 'KUBERNETES_SERVICE_HOST'])('refuses AUTH=off where %s is set', async (mark) => {
    const app = await startApp({ ...NOWHERE, AUTH: 'off', TASKFORCE_API_KEY: KEY, [mark]: 'production' })
    expect(await look(app)).toEqual({ ...NOT_READY, words: nothing })
    const named: unknown = expect.stringMatching(new RegExp(`environment: AUTH .*${mark}`))
    expect(await look(app, WITH_KEY)).toEqual({ ...NOT_READY, words: named })
  })

  test('refuses AUTH=keys without a key', async () => {
    const app = await startApp({ ...NOWHERE, AUTH: 'keys' })
    expect(await look(app, { authorization: 'Bearer undefined' })).toEqual({ ...NOT_READY, words: nothing })
  })

  test('names a profile that is broken by its file, and runs missions on the others', async () => {
    const app = await startApp({ ...env.settings, AUTH: 'off' }, (folder) =>
      writeFile(join(folder, 'profiles/staging.yaml'), 'description: x\ntools: [fly]\nlimit: {}\n'),
    )
    const { body } = await ready(app)
    expect(body.checks['config']?.status).toBe('fail')
    expect(details(body)).toMatch(/profiles\/staging\.yaml: instructions \S/)
    expect((await create(app, { goal: 'Say hello', profile: 'dev' })).profile).toBe('dev')
    expect(await post(app, MISSIONS, { goal: 'x', profile: 'staging' })).toEqual(
      problem(400, 'unknown_profile', ['/profile']),
    )
  })

  test('names its default profile where that is the broken one', async () => {
    const app = await startApp({ ...env.settings, AUTH: 'off' }, (folder) =>
      writeFile(join(folder, 'profiles/dev.yaml'), 'description: [\n'),
    )
    const { status, body } = await ready(app)
    expect(status).toBe(503)
    expect(details(body)).toMatch(/profiles\/dev\.yaml: line 2 is no valid YAML.*environment: PROFILE .*"dev"/)
  })

  test('answers also where the profiles are missing as a whole', async () => {
    const app = await startApp({ ...env.settings, AUTH: 'off' }, (folder) =>
      rm(join(folder, 'profiles'), { recursive: true }),
    )
    const { status, body } = await ready(app)
    expect([status, details(body)]).toEqual([503, expect.stringMatching(/profiles/)])
    expect(await post(app, MISSIONS, { goal: 'x' })).toEqual(problem(400, 'unknown_profile', ['/profile']))
  })
})
