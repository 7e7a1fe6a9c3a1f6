import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer as createHttpServer, type RequestListener } from 'node:http'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { afterAll, afterEach, beforeAll, describe, expect, inject, it, vi } from 'vitest'
import { main } from '../../scripts/doctor/main.ts'
import type { Check, SettingLine } from '../../scripts/doctor/report.ts'
import { createTokens, type Tokens } from '../../scripts/doctor/tokens.ts'
import { createTerminal, type Streams } from '../../scripts/mission/terminal.ts'
import { CODE_REVISION } from '../../src/db/schema-revision.ts'
import { startAzurite, type LocalAzurite } from '../../src/local/azurite/start-azurite.ts'
import { refuse, startChatServer, text, type ChatServer } from '../support/chat-server.ts'
import { APP, urlFor, withSuper } from '../support/global-setup.ts'
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts'

// Generous, because the machine may be busy; nothing waits for time to pass.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 90_000 })

/** Nobody listens there; unlike port 1, fetch is willing to try it. */
let closedPort: number
let folder: string
let azurite: LocalAzurite
let database: TestDatabase
let chat: ChatServer
const stops: (() => unknown)[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'doctor-'))
  const started = await Promise.all([
    startAzurite({ dataDir: join(folder, 'azurite') }),
    createTestDatabase(),
    startChatServer(),
    freePort(),
  ])
  ;[azurite, database, chat, closedPort] = started
})
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop()
})
afterAll(async () => {
  await Promise.all([azurite?.stop(), database?.drop(), chat?.stop()])
  await rm(folder, { recursive: true, force: true })
})

type Settings = Record<string, string | undefined>

interface Run {
  code: number
  stdout: string
  stderr: string
}

interface Result extends Run {
  ok: boolean
  checks: Check[]
  settings: SettingLine[]
  /** The one line of a group with a name. */
  line(group: string, name: string): Check | undefined
}

/** Nothing here ever asks the real Entra ID. */
const noTokens = createTokens(() => Promise.reject(new Error('no identity in tests')))

interface Extras {
  words?: string[]
  tokens?: Tokens
  deadlineMs?: number
}

async function run(env: Settings, { words = [], tokens = noTokens, deadlineMs = 30_000 }: Extras = {}): Promise<Run> {
  const streams = { stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() }
  const terminal = createTerminal(streams as unknown as Streams, {})
  const code = await main(words, { env, cwd: folder, terminal, nodeVersion: '24.0.0', tokens, deadlineMs })
  const said = (stream: PassThrough) => String(stream.read() ?? '')
  return { code, stdout: said(streams.stdout), stderr: said(streams.stderr) }
}

async function examine(env: Settings, extras: Extras = {}): Promise<Result> {
  const result = await run(env, { ...extras, words: ['--json', ...(extras.words ?? [])] })
  const report = JSON.parse(result.stdout) as Pick<Result, 'ok' | 'checks' | 'settings'>
  const line = (group: string, name: string) =>
    report.checks.find((check) => check.group === group && check.name === name)
  return { ...result, ...report, line }
}

/** Everything configured and running. */
function good(more: Settings = {}): Settings {
  return {
    DATABASE_URL: database.appUrl,
    JOBS_STORAGE: azurite.connectionString,
    OPENAI_API_KEY: 'sk-canary-0123456789',
    OPENAI_BASE_URL: chat.url,
    TASKFORCE_API_KEY: 'a-key-of-16-characters',
    ...more,
  }
}

const listed = (...ids: string[]) => refuse(200, { object: 'list', data: ids.map((id) => ({ id })) })

async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

async function serveHttp(listener: RequestListener): Promise<string> {
  const server = createHttpServer(listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  stops.push(
    () => server.closeAllConnections(),
    () => void server.close(),
  )
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** A TCP server; by default it takes connections and never says a word. */
async function serveTcp(talk: (socket: Socket) => void = () => undefined): Promise<number> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined))
    talk(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  stops.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

describe('where everything is there', () => {
  it('says so, line by line', async () => {
    chat.script(listed('gpt-5.4-mini'))
    const { code, ok, checks, line, stderr } = await examine(good())
    expect(checks.filter(({ status }) => status === 'fail')).toEqual([])
    expect({ code, ok, stderr }).toEqual({ code: 0, ok: true, stderr: '' })
    expect(line('Database', 'connection')?.detail).toContain(`/${database.name} as taskforce_app`)
    expect(line('Database', 'version')?.detail).toMatch(/^Postgres 1[5-8]\./)
    expect(line('Database', 'schema')).toMatchObject({
      status: 'pass',
      detail: `revision ${CODE_REVISION}, as this code needs`,
    })
    expect(line('Database', 'rights')?.status).toBe('pass')
    expect(line('Database', 'clock')?.status).toBe('pass')
    expect(line('Model', 'server')).toMatchObject({ status: 'pass', detail: `${chat.url} takes the key` })
    expect(line('Model', 'model')).toMatchObject({ status: 'pass', detail: 'gpt-5.4-mini is there' })
    expect(line('Profiles', 'dev')?.detail).toContain('the default; model gpt-5.4-mini')
    expect(checks.filter(({ group }) => group === 'Azure identity')).toEqual([])
    expect(chat.requests.map(({ path }) => path)).toEqual(['/v1/models'])
  })

  it('looks at the queue without making it, and counts its messages', async () => {
    chat.script(listed('gpt-5.4-mini'), listed('gpt-5.4-mini'))
    const { QueueServiceClient } = await import('@azure/storage-queue')
    const queue = QueueServiceClient.fromConnectionString(azurite.connectionString).getQueueClient('missions')
    const before = await examine(good())
    expect(before.line('Storage', 'queue')).toMatchObject({ status: 'warn', detail: expect.stringMatching(/no queue/) })
    expect(await queue.exists()).toBe(false)
    await queue.create()
    await queue.sendMessage('wake')
    const after = await examine(good())
    expect(after.line('Storage', 'queue')?.detail).toMatch(/^missions at 127\.0\.0\.1:\d+, 1 message$/)
  })
})

describe('with nothing configured', () => {
  it('says that nothing has to be, and what a deployment needs', async () => {
    const { code, stdout } = await run({ PATH: '/bin', HOME: '/' })
    expect(code).toBe(0)
    expect(stdout).toContain('npm start and npm run mission need nothing')
    expect(stdout).toMatch(/A deployment needs:\n +DATABASE_URL/)
    expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([])
  })

  it('is not said to somebody who set a key', async () => {
    chat.script(listed('gpt-5.4-mini'))
    const { code, stdout } = await run({ OPENAI_API_KEY: 'sk-x', OPENAI_BASE_URL: chat.url })
    expect(code).toBe(0)
    expect(stdout).not.toContain('need nothing')
    expect(stdout).toContain('Everything needed is there')
  })
})

describe('the local environment', () => {
  it('is found, looked at as its owner, and asked for its readiness', async () => {
    chat.script(listed('demo'))
    const readiness = { status: 'degraded', version: '1', checks: { sweep: { status: 'warn', detail: 'it is late' } } }
    const url = await serveHttp((_, response) => response.end(JSON.stringify(readiness)))
    const connections = {
      databaseUrl: database.ownerUrl,
      storageConnectionString: azurite.connectionString,
      demoModelUrl: chat.url,
    }
    const data = await mkdtemp(join(folder, 'data-'))
    await writeFile(join(data, 'run.json'), JSON.stringify({ event: 'ready', url, ...connections, pid: process.pid }))
    const { code, line, settings } = await examine({}, { words: ['--data', data] })
    expect(code).toBe(0)
    expect(settings).toContainEqual(expect.objectContaining({ name: 'JOBS_STORAGE', source: 'npm start' }))
    expect(line('Database', 'rights')?.detail).toContain("the schema's owner")
    expect(line('Model', 'model')?.detail).toBe('demo is there')
    expect(line('API', 'ready')).toMatchObject({ status: 'warn', detail: `${url} is degraded, version 1` })
    expect(line('API', 'sweep')).toMatchObject({ status: 'warn', detail: 'it is late' })
  })
})

describe('a database', () => {
  it.each<[string, () => Promise<string> | string, RegExp, RegExp]>([
    [
      'that is not there',
      () => `postgresql://u:pw@127.0.0.1:${closedPort}/db`,
      /nothing listens there/,
      /DATABASE_URL/,
    ],
    [
      'with another password',
      () => database.appUrl.replace(':taskforce@', ':wrong@'),
      /does not take the password/,
      /./,
    ],
    [
      'of another name',
      () => database.appUrl.replace(database.name, 'nowhere'),
      /no database nowhere/,
      /create database/,
    ],
    [
      'that is no Postgres',
      () => database.appUrl.replace(/:\d+\//, `:${new URL(chat.url).port}/`),
      /no Postgres answers|broke off/,
      /./,
    ],
    [
      'whose password moves the borders of the URL',
      () => 'postgresql://127.0.0.1:12#34@127.0.0.1/db',
      /can't be read/,
      /percent-encoded/,
    ],
  ])('%s', async (_, url, detail, hint) => {
    chat.script(listed('gpt-5.4-mini'))
    const { code, line } = await examine(good({ DATABASE_URL: await url() }))
    const expected = { status: 'fail', detail: expect.stringMatching(detail), hint: expect.stringMatching(hint) }
    expect(line('Database', 'connection')).toMatchObject(expected)
    expect(code).toBe(1)
  })

  it('without a schema: gives the command', async () => {
    const empty = await createTestDatabase({ migrated: false })
    stops.push(() => empty.drop())
    const { line } = await examine(good({ DATABASE_URL: empty.appUrl }))
    expect(line('Database', 'schema')).toMatchObject({
      status: 'fail',
      hint: expect.stringMatching(
        /^DATABASE_DIRECT_URL=postgresql:\/\/OWNER:PASSWORD@127\.0\.0\.1:\d+\/\w+ npm run migrate -- up$/,
      ),
    })
    expect(line('Database', 'rights')).toBeUndefined()
  })

  it('whose login may not take on the role of the API: gives the grants, which then do', async () => {
    const login = { name: `doctor_${database.name}`, password: 'pw' }
    const superUrl = inject('databaseSuperUrl')
    const own = (sql: string) => withSuper(superUrl, (client) => client.query(sql))
    await own(`create role ${login.name} login password 'pw'`)
    stops.push(
      () => own(`drop owned by ${login.name}`),
      () => own(`drop role ${login.name}`),
    )
    stops.reverse()
    const env = good({ DATABASE_URL: urlFor(superUrl, login, database.name) })
    const schema = (await examine(env)).line('Database', 'schema')
    expect(schema).toMatchObject({ status: 'fail', detail: `${login.name} may not read it` })
    await own(`grant taskforce_engine to ${login.name}`)
    const rights = (await examine(env)).line('Database', 'rights')
    expect(rights).toMatchObject({ status: 'fail', detail: `${login.name} can't take on taskforce_api` })
    await own((rights?.hint ?? '').split('run: ')[1] ?? '')
    expect((await examine(env)).line('Database', 'rights')?.status).toBe('pass')
  })

  it('whose login is above row-level security: warns', async () => {
    const url = new URL(inject('databaseSuperUrl'))
    url.pathname = `/${database.name}`
    expect((await examine(good({ DATABASE_URL: url.href }))).line('Database', 'rights')).toMatchObject({
      status: 'warn',
    })
  })

  it('behind a pooler: asks for a way past it, and looks at that one too', async () => {
    const pooled = await examine(good({ DATABASE_POOLER: 'transaction' }))
    expect(pooled.line('Database', 'direct')).toMatchObject({
      status: 'warn',
      hint: expect.stringMatching(/^set DATABASE_DIRECT_URL/),
    })
    const direct = await examine(good({ DATABASE_DIRECT_URL: database.ownerUrl }))
    expect(direct.line('Database', 'direct')?.status).toBe('pass')
    const weak = await examine(good({ DATABASE_DIRECT_URL: urlFor(inject('databaseSuperUrl'), APP, database.name) }))
    expect(weak.line('Database', 'direct rights')?.status).toBe('warn')
  })
})

describe('a storage', () => {
  it.each<[string, () => string, string, RegExp]>([
    [
      'that is not there',
      () =>
        azurite.connectionString.replace(
          /QueueEndpoint=http:\/\/127\.0\.0\.1:\d+/,
          `QueueEndpoint=http://127.0.0.1:${closedPort}`,
        ),
      'fail',
      /nothing listens there/,
    ],
    [
      'with another key',
      () => azurite.connectionString.replace(/AccountKey=[^;]+/, 'AccountKey=d3Jvbmc='),
      'fail',
      /refuses the key \(403\)/,
    ],
    ['that is no connection string', () => 'rubbish', 'fail', /no connection string/],
    [
      'that would get a signature without TLS',
      () => `QueueEndpoint=http://0.0.0.0:${closedPort}/a;SharedAccessSignature=sv=1&sig=c2ln`,
      'warn',
      /signature would go to 0\.0\.0\.0:\d+ unencrypted/,
    ],
  ])('%s', async (_, connection, status, detail) => {
    const { line } = await examine(good({ JOBS_STORAGE: connection() }))
    expect(line('Storage', 'queue')).toMatchObject({ status, detail: expect.stringMatching(detail) })
  })
})

describe('a model server', () => {
  it.each<[string, Parameters<ChatServer['script']>[0], Check['status'], RegExp]>([
    [
      'that refuses the key',
      refuse(401, { error: { message: 'Incorrect API key: sk-canary-0123456789' } }),
      'fail',
      /refuses the key \(401\)/,
    ],
    ['without a list', refuse(404), 'warn', /has no list of models \(404\)/],
    [
      'that answers with a page',
      refuse(200, '<html>sign in</html>', { 'content-type': 'text/html' }),
      'fail',
      /gives no list/,
    ],
    ['that sends elsewhere', refuse(302, {}, { location: 'http://127.0.0.1:1/' }), 'fail', /sends elsewhere \(302\)/],
    ['that is ill', refuse(503), 'fail', /error of its own \(503\)/],
    ['that is busy', refuse(429), 'warn', /limits the rate/],
  ])('%s', async (_, answer, status, detail) => {
    chat.script(answer)
    const { line } = await examine(good())
    expect(line('Model', 'server')).toMatchObject({
      status,
      detail: expect.stringMatching(detail),
      hint: expect.any(String),
    })
    expect(chat.requests).toHaveLength(1)
  })

  it('that is not there', async () => {
    const { line } = await examine(good({ OPENAI_BASE_URL: `http://127.0.0.1:${closedPort}/v1` }))
    expect(line('Model', 'server')).toMatchObject({
      status: 'fail',
      detail: expect.stringMatching(/nothing listens there/),
    })
  })

  describe('over a network without TLS', () => {
    // This machine by a name that is none of its well-known ones.
    const elsewhere = () => chat.url.replace('127.0.0.1', '0.0.0.0')

    it('gets no key, not even with --ask', async () => {
      chat.script(listed('gpt-5.4-mini'), text('ready'))
      const { line, checks, code } = await examine(good({ OPENAI_BASE_URL: elsewhere() }), { words: ['--ask'] })
      expect(line('Model', 'server')).toMatchObject({ status: 'warn', hint: expect.stringContaining('https://') })
      expect(checks.filter(({ group }) => group === 'Model')).toHaveLength(1)
      expect(chat.requests).toEqual([])
      expect(code).toBe(0)
    })

    it.each([undefined, 'ollama'])('is looked at where there is no key to lose: %s', async (key) => {
      chat.script(listed('gpt-5.4-mini'))
      const { line } = await examine(good({ OPENAI_BASE_URL: elsewhere(), OPENAI_API_KEY: key }))
      expect(line('Model', 'server')?.status).toBe('pass')
    })
  })

  it('without the model: says which it has', async () => {
    chat.script(listed('llama3:latest', 'qwen\u001b[2J'))
    const { line, code } = await examine(good({ OPENAI_MODEL: 'mistral' }))
    expect(line('Model', 'model')).toMatchObject({
      status: 'warn',
      detail: 'mistral is not listed; it lists llama3:latest, qwen',
    })
    expect(code).toBe(0)
  })

  it('is needed where there is a database of its own', async () => {
    const { line } = await examine(good({ OPENAI_API_KEY: undefined, OPENAI_BASE_URL: undefined }))
    expect(line('Model', 'server')).toMatchObject({ status: 'fail', detail: 'none, so every mission fails' })
  })

  it('is asked only with --ask, and then once', async () => {
    chat.script(listed('gpt-5.4-mini'), text('ready'))
    const { line } = await examine(good(), { words: ['--ask'] })
    expect(line('Model', 'answer')).toMatchObject({
      status: 'pass',
      detail: expect.stringMatching(/^served-model in .*: 12 in, 3 out tokens$/),
    })
    expect(chat.requests.map(({ path }) => path).sort()).toEqual(['/v1/chat/completions', '/v1/models'])
  })

  it('that refuses the question', async () => {
    chat.script(refuse(401), refuse(401))
    const { line, code } = await examine(good(), { words: ['--ask'] })
    expect(line('Model', 'answer')).toMatchObject({ status: 'fail', hint: expect.stringContaining('OPENAI_API_KEY') })
    expect(code).toBe(1)
  })
})

describe('Azure OpenAI', () => {
  const azure = (endpoint: string, more: Settings = {}) =>
    good({ AZURE_OPENAI_ENDPOINT: endpoint, AZURE_OPENAI_DEPLOYMENT: 'mini', ...more })

  it('is looked at with its key', async () => {
    chat.script(listed('gpt-5'))
    const { line } = await examine(azure(chat.url.replace('/v1', '/'), { AZURE_OPENAI_API_KEY: 'azure-key' }))
    expect(line('Model', 'server')).toMatchObject({ status: 'pass', detail: expect.stringContaining('takes the key') })
    expect(line('Model', 'deployment')?.detail).toContain('mini; not called')
    expect(chat.requests).toMatchObject([
      { path: '/openai/models?api-version=2024-10-21', headers: { 'api-key': 'azure-key' } },
    ])
    expect(line('Profiles', 'dev')).toMatchObject({ status: 'pass' })
  })

  it('is looked at with a token where there is no key', async () => {
    chat.script(listed('gpt-5'))
    const tokens = createTokens(async () => ({
      getToken: async () => ({ token: 'entra-token', expiresOnTimestamp: 0 }),
    }))
    const { line } = await examine(azure(chat.url.replace('/v1', '')), { tokens })
    expect(line('Model', 'server')).toMatchObject({
      status: 'pass',
      detail: expect.stringContaining('takes the identity'),
    })
    expect(chat.requests).toMatchObject([{ headers: { authorization: 'Bearer entra-token' } }])
    expect(line('Azure identity', 'model')).toMatchObject({ status: 'pass' })
  })

  it('without key and identity: says so, and sends nothing', async () => {
    chat.script()
    const { line } = await examine(azure(chat.url.replace('/v1', '')))
    expect(line('Azure identity', 'model')).toMatchObject({
      status: 'fail',
      hint: expect.stringMatching(/az login.*AZURE_OPENAI_API_KEY/),
    })
    expect(line('Model', 'server')).toMatchObject({ status: 'fail', hint: expect.stringContaining('Azure identity') })
    expect(chat.requests).toEqual([])
  })

  it('gets no key over a network without TLS', async () => {
    // This machine by a name that is none of its well-known ones.
    const { line } = await examine(azure(`http://0.0.0.0:${closedPort}`, { AZURE_OPENAI_API_KEY: 'azure-key' }))
    expect(line('Model', 'server')).toMatchObject({ status: 'fail', detail: expect.stringContaining('unencrypted') })
  })

  const half = (more: Settings = {}) =>
    azure(`http://127.0.0.1:${closedPort}`, { AZURE_OPENAI_DEPLOYMENT: undefined, ...more })

  it('that lacks its deployment is left out with a warning, and the other model is looked at', async () => {
    chat.script(listed('gpt-5.4-mini'))
    const { line, code } = await examine(half())
    expect(line('Settings', 'AZURE_OPENAI_DEPLOYMENT')).toMatchObject({ status: 'warn' })
    expect(line('Model', 'server')).toMatchObject({ status: 'pass', detail: `${chat.url} takes the key` })
    expect(code).toBe(0)
  })

  it('that lacks its deployment and is the only one: names what to set', async () => {
    const { line } = await examine(half({ OPENAI_API_KEY: undefined, OPENAI_BASE_URL: undefined }))
    expect(line('Model', 'server')).toMatchObject({
      status: 'fail',
      hint: expect.stringMatching(/^set AZURE_OPENAI_DEPLOYMENT; or /),
    })
  })
})

it('an Azure OpenAI without a list of models is one that may answer all the same', async () => {
  chat.script(refuse(404))
  const settings = { AZURE_OPENAI_DEPLOYMENT: 'mini', AZURE_OPENAI_API_KEY: 'azure-key' }
  const { line } = await examine(good({ AZURE_OPENAI_ENDPOINT: chat.url.replace('/v1', ''), ...settings }))
  expect(line('Model', 'server')).toMatchObject({
    status: 'warn',
    hint: expect.stringContaining('correct AZURE_OPENAI_ENDPOINT'),
  })
})

describe('Azure AI Search', () => {
  const search = (endpoint: string) =>
    good({ AZURE_SEARCH_ENDPOINT: endpoint, AZURE_SEARCH_INDEX: 'docs', AZURE_SEARCH_API_KEY: 'search-key' })

  it('counts its documents', async () => {
    const endpoint = await serveHttp((request, response) => {
      response.setHeader('content-type', 'text/plain')
      response.end(
        request.headers['api-key'] === 'search-key' && request.url?.includes("indexes('docs')") ? '1204' : '0',
      )
    })
    const { line } = await examine(search(endpoint))
    expect(line('Search', 'index')).toMatchObject({
      status: 'pass',
      detail: expect.stringMatching(/^docs at .*, 1,204 documents$/),
    })
  })

  it.each<[number, RegExp]>([
    [403, /refuses the key/],
    [404, /has no index docs/],
    [500, /error \(500\)/],
  ])('that answers %i', async (status, detail) => {
    const endpoint = await serveHttp((_, response) => response.writeHead(status).end('{}'))
    const { line } = await examine(search(endpoint))
    expect(line('Search', 'index')).toMatchObject({ status: 'fail', detail: expect.stringMatching(detail) })
  })
})

describe('profiles', () => {
  it('without a price for their model are named, with the line to add', async () => {
    const { checks } = await examine(good({ OPENAI_MODEL: 'llama3' }))
    const warning = checks.find(
      ({ group, name, status }) => group === 'Profiles' && name === 'dev' && status === 'warn',
    )
    expect(warning?.detail).toContain('no price for llama3')
    expect(warning?.hint).toMatch(/llama3: \{ inputUsd: '…', outputUsd: '…' \}/)
  })

  it('without an index: their search tools are left out, with one warning', async () => {
    const dir = await mkdtemp(join(folder, 'profiles-'))
    const head = `description: d\ninstructions: i\nlimits: { steps: 1, tokens: 1, costUsd: '1', wallHours: 1 }\n`
    await writeFile(join(dir, 'one.yaml'), `${head}tools: [calculate, search_documents]\n`)
    const { line, code } = await examine({ PROFILES_DIR: dir, PROFILE: 'one' })
    expect(line('Profiles', 'one')).toMatchObject({
      status: 'pass',
      detail: expect.stringContaining('1 tool (without search_documents)'),
    })
    expect(line('Search', 'index')).toMatchObject({
      status: 'warn',
      hint: expect.stringContaining('AZURE_SEARCH_INDEX'),
    })
    expect(code).toBe(0)
  })

  it('that are wrong are left out; the default one is needed', async () => {
    const dir = await mkdtemp(join(folder, 'profiles-'))
    await writeFile(join(dir, 'mine.yaml'), 'description: 1\n')
    const { line } = await examine(good({ PROFILES_DIR: dir, PROFILE: 'other' }))
    expect(line('Profiles', 'mine')).toMatchObject({ status: 'warn' })
    expect(line('Profiles', 'environment')).toMatchObject({ status: 'fail', hint: expect.stringContaining('PROFILE') })
    expect((await examine(good({ PROFILES_DIR: dir, PROFILE: 'mine' }))).line('Profiles', 'mine')).toMatchObject({
      status: 'fail',
    })
  })
})

describe('an API that --url names', () => {
  it.each<[string, string, Check['status'], RegExp]>([
    ['is ready', '{"status":"ready","version":"1.2.3","checks":{}}', 'pass', /is ready, version 1\.2\.3/],
    ['is not', '{"status":"unavailable","checks":{"database":{"status":"fail"}}}', 'fail', /is unavailable/],
    ['is something else', '<html>', 'fail', /is no API of Taskforce/],
  ])('%s', async (_, body, status, detail) => {
    const url = await serveHttp((__, response) => response.end(body))
    const { line } = await examine({}, { words: ['--url', url] })
    expect(line('API', 'ready')).toMatchObject({ status, detail: expect.stringMatching(detail) })
  })

  it('gets the key on this machine, and over a network without TLS none', async () => {
    const keys: (string | undefined)[] = []
    const url = await serveHttp((request, response) => {
      keys.push(request.headers.authorization)
      response.end('{"status":"degraded","checks":{"sweep":{"status":"warn"}}}')
    })
    const env = { TASKFORCE_API_KEY: 'a-key-of-16-characters' }
    const here = await examine(env, { words: ['--url', url] })
    expect(here.line('API', 'sweep')?.hint).toContain('set TASKFORCE_API_KEY')
    const there = await examine(env, { words: ['--url', url.replace('127.0.0.1', '0.0.0.0')] })
    expect(there.line('API', 'sweep')?.hint).toContain('begin --url with https://')
    expect(keys).toEqual(['Bearer a-key-of-16-characters', undefined])
  })
})

it('servers that never answer hold nobody up', async () => {
  const port = await serveTcp()
  const at = `http://127.0.0.1:${port}`
  const env = {
    DATABASE_URL: `postgresql://u:pw@127.0.0.1:${port}/db`,
    DATABASE_DIRECT_URL: `postgresql://u:pw@127.0.0.1:${port}/db`,
    JOBS_STORAGE: `DefaultEndpointsProtocol=http;AccountName=a;AccountKey=YQ==;QueueEndpoint=${at}/a;`,
    OPENAI_BASE_URL: `${at}/v1`,
    AZURE_SEARCH_ENDPOINT: at,
    AZURE_SEARCH_INDEX: 'docs',
    AZURE_SEARCH_API_KEY: 'search-key',
    TASKFORCE_API_KEY: 'a-key-of-16-characters',
    DATABASE_AUTH: 'entra',
  }
  const tokens = createTokens(() => new Promise(() => undefined))
  const { checks, code } = await examine(env, { deadlineMs: 300, words: ['--url', at], tokens })
  const late = checks
    .filter(({ detail }) => detail === 'no answer within 0.3 s')
    .map(({ group, name }) => `${group} ${name}`)
  expect(late).toEqual([
    'Database connection',
    'Database direct',
    'Storage queue',
    'Model server',
    'Search index',
    'Azure identity database',
    'API ready',
  ])
  expect(code).toBe(1)
})

describe('the command line', () => {
  it.each([['--nonsense'], ['word'], ['--url', 'ftp://x'], ['--url', 'http://me:canary@127.0.0.1']])(
    'refuses %s %s',
    async (...words) => {
      const { code, stdout, stderr } = await run({}, { words })
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
      expect(stderr).not.toBe('')
      expect(stderr).not.toContain('canary')
    },
  )

  it('explains itself', async () => {
    const { code, stdout } = await run({}, { words: ['--help'] })
    expect(code).toBe(0)
    for (const word of ['--json', '--data', '--url', '--ask', 'Exit codes']) expect(stdout).toContain(word)
  })

  it('is a script of its own, with nothing but JSON on standard output', () => {
    const script = join(import.meta.dirname, '../../scripts/doctor.ts')
    const env = { PATH: process.env.PATH }
    const { status, stdout, stderr } = spawnSync(process.execPath, [script, '--json'], {
      cwd: folder,
      env,
      encoding: 'utf8',
    })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, checks: expect.any(Array), settings: expect.any(Array) })
  })
})
