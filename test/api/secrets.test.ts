import { inject, afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { createLogins } from '../../src/db/roles.ts'
import { startChatServer, type ChatServer } from '../support/chat-server.ts'
import {
  NOWHERE,
  startTestApp,
  startTestEnvironment,
  type TestApp,
  type TestEnvironment,
} from '../support/environment.ts'
import { OWNER, urlFor, withSuper } from '../support/global-setup.ts'
import { createTestDatabase } from '../support/postgres.ts'
import { call, create, MISSIONS, post, reach, read, type Answer } from './client.ts'

/** None of them has a shape that the scrubber knows: what keeps them in is that they are known, or never written. */
const CANARIES = {
  apiKey: 'canaryA7f3c1e9b2d4TASKFORCE',
  modelKey: 'canaryB8e2d0f8a1c3OPENAI',
  password: 'canaryC9d1e7f6b5a4POSTGRES',
  stranger: 'canaryD0c9b8a7f6e5STRANGER',
}
const APP = { name: 'taskforce_canary', password: CANARIES.password }
const WITH_KEY = { authorization: `Bearer ${CANARIES.apiKey}` }

let model: ChatServer
let env: TestEnvironment
beforeAll(async () => {
  model = await startChatServer()
  env = await startTestEnvironment(
    {
      AUTH: 'keys',
      LOG_LEVEL: 'trace',
      TASKFORCE_API_KEY: CANARIES.apiKey,
      OPENAI_API_KEY: CANARIES.modelKey,
      OPENAI_BASE_URL: model.url,
    },
    makeDatabase,
  )
})
afterAll(async () => {
  await env.stop()
  await model.stop()
})

const started: TestApp[] = []
afterEach(async () => {
  for (const app of started.splice(0)) await app.stop()
})

/** With a login of its own, whose password is nobody else's. */
async function makeDatabase() {
  const superUrl = inject('databaseSuperUrl')
  const database = await createTestDatabase()
  await withSuper(superUrl, (client) => createLogins(client, { owner: OWNER, app: APP, database: database.name }))
  const drop = async () => {
    await database.drop()
    await withSuper(superUrl, (client) => client.query(`drop role ${APP.name}`))
  }
  return { ...database, appUrl: urlFor(superUrl, APP, database.name), drop }
}

/** Headers and body: both reach a client. */
function whole({ status, headers, text }: Answer): string {
  return `${status} ${JSON.stringify([...headers])} ${text}`
}

/** S9: every place with a canary, in clear, in base64, or cut at its ends. */
function canariesIn(places: Record<string, string[]>): string[] {
  return Object.entries(places).flatMap(([where, texts]) =>
    Object.values(CANARIES).flatMap((canary) => {
      const shapes = [canary.slice(3, -3), Buffer.from(canary).toString('base64').slice(0, 20)]
      return texts.filter((text) => shapes.some((shape) => text.includes(shape))).map((text) => `${where}: ${text}`)
    }),
  )
}

function lines(app: TestApp): string[] {
  return app.logs.map(({ message }) => message)
}

async function askEverything(app: TestApp, id: string): Promise<Answer[]> {
  const answers: Answer[] = []
  const path = `${MISSIONS}/${id}`
  for (const headers of [WITH_KEY, { authorization: `Bearer ${CANARIES.stranger}` }]) {
    answers.push(
      await call(app, '/health/ready', { headers }),
      await call(app, path, { headers }),
      await call(app, `${path}/events`, { headers }),
      await call(app, `${path}/files/none`, { headers }),
      await call(app, `${MISSIONS}?limit=x`, { headers }),
      await call(app, `${MISSIONS}?label=a%00%3Db`, { headers }),
      await post(app, MISSIONS, '{"goal":', headers),
      await post(app, MISSIONS, { goal: 'x', profile: 'none' }, headers),
      await post(app, `${path}/cancel`, '', headers),
      await post(app, `${path}/answers`, { questionId: 'q', answer: 1 }, headers),
    )
  }
  return answers
}

test('no key and no password comes out in a response, a log line or an event', async () => {
  // What some servers answer: the very key that they were sent.
  model.script((response) => {
    const { authorization } = response.req.headers
    response.writeHead(401, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ error: { message: `Incorrect API key provided: ${authorization}` } }))
  })
  const { id } = await create(env, { goal: 'Say hello' }, WITH_KEY)
  await reach(env, id, 'failed')
  const answers = await askEverything(env, id)
  expect(model.requests[0]?.headers.authorization).toContain(CANARIES.modelKey)
  expect((await read(env, id, WITH_KEY)).error?.code).toMatch(/\w/)
  const { rows } = await env.owner.query<{ row: string }>(
    `select e::text as row from taskforce.events e union all select m::text from taskforce.missions m`,
  )
  const places = { responses: answers.map(whole), logs: lines(env), rows: rows.map(({ row }) => row) }
  expect(canariesIn(places)).toEqual([])
  for (const texts of Object.values(places)) expect(texts.length).toBeGreaterThan(3)
})

test('nor where the database refuses the password, or does not answer', async () => {
  const { id } = await create(env, { goal: 'Say hello' }, WITH_KEY)
  const refusing = String(env.settings['DATABASE_URL']).replace(CANARIES.password, CANARIES.stranger)
  const away = NOWHERE.DATABASE_URL.replace(':taskforce@', `:${CANARIES.password}@`)
  for (const DATABASE_URL of [refusing, away]) {
    const app = await startTestApp({ ...env.settings, DATABASE_URL })
    started.push(app)
    const responses = (await askEverything(app, id)).map(whole)
    expect(canariesIn({ responses, logs: lines(app) })).toEqual([])
    expect(lines(app).length).toBeGreaterThan(3)
  }
})
