import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer as createHttpServer, type RequestListener } from 'node:http'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { text as read } from 'node:stream/consumers'
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest'
import { main } from '../../scripts/doctor/main.ts'
import { createTokens } from '../../scripts/doctor/tokens.ts'
import { createTerminal, type Streams } from '../../scripts/mission/terminal.ts'

vi.setConfig({ testTimeout: 60_000 })

const script = join(import.meta.dirname, '../../scripts/doctor.ts')
const folder = mkdtempSync(join(tmpdir(), 'doctor-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const DATABASE = 'Canary/db#pw@1'
const PLAIN_DATABASE = 'CanaryDbPlain1'
const ACCOUNT_KEY = Buffer.from('canary-account-key').toString('base64')
const SIGNATURE = 'canary%2Fsignature'
const OPENAI = 'sk-canaryopenai0123456789'
const AZURE = '0123456789abcdefcanary0123456789'
const SEARCH = 'CANARYSEARCHKEY0123456789'
const API = 'canary-taskforce-api-key'
const TOKEN = 'canary-opaque-token'
const IN_URL = 'canaryinurl'
const MISPLACED = 'sk-canarymisplaced0123456789'
const LOOK_ALIKE = 'canary-look-alike'

const secrets = [
  DATABASE,
  PLAIN_DATABASE,
  ACCOUNT_KEY,
  SIGNATURE,
  OPENAI,
  AZURE,
  SEARCH,
  API,
  TOKEN,
  IN_URL,
  MISPLACED,
  LOOK_ALIKE,
]
/** As they are, and in both forms that URLs have. */
const canaries = secrets.flatMap((secret) => [secret, encodeURIComponent(secret), decodeURIComponent(secret)])

type Settings = Record<string, string>

const servers: Server[] = []
const sockets = new Set<Socket>()
afterEach(() => {
  for (const socket of sockets) socket.destroy()
  for (const server of servers.splice(0)) server.close()
})

async function listen(server: Server): Promise<number> {
  servers.push(server.on('connection', (socket: Socket) => sockets.add(socket.on('error', () => undefined))))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

/** An HTTP server that repeats all that it was sent, wherever an answer has room for it. */
function parrot(status: number): RequestListener {
  return (request, response) => {
    const said = `${JSON.stringify(request.headers)} ${request.url} ${Object.values(request.headers).join(' ')}`
    const keys = [request.headers.authorization?.replace('Bearer ', ''), request.headers['api-key']].map(String)
    const safe = said.replace(/[^ -~]/g, '')
    response.statusMessage = safe
    response.writeHead(status, {
      'content-type': 'application/json',
      'x-ms-error-code': keys[0],
      location: request.url,
    })
    const error = { message: said, code: keys[0], type: said, param: keys[1] }
    const readiness = {
      status: 'unavailable',
      version: keys[0],
      checks: { database: { status: 'fail', detail: said } },
    }
    response.end(
      JSON.stringify({ error, data: keys.map((id) => ({ id })), model: keys[0], message: said, ...readiness }),
    )
  }
}

/** A Postgres that asks for the password in clear and repeats it in its refusal. */
function parrotPostgres(socket: Socket): void {
  socket.once('data', () => {
    socket.write(Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3]))
    socket.once('data', (message) => {
      const password = message.subarray(5, -1).toString()
      const fields = `SFATAL\0C28000\0Mno entry for ${password}\0D${password}\0H${password}\0\0`
      const head = Buffer.from([0x45, 0, 0, 0, 0])
      head.writeInt32BE(fields.length + 4, 1)
      socket.end(Buffer.concat([head, Buffer.from(fields)]))
    })
  })
}

function settings(http: number, postgres: number): Settings {
  const base = `http://127.0.0.1:${http}`
  return {
    DATABASE_URL: `postgresql://app:${encodeURIComponent(DATABASE)}@127.0.0.1:${postgres}/taskforce`,
    DATABASE_DIRECT_URL: `postgresql://app:${PLAIN_DATABASE}@127.0.0.1:${postgres}/taskforce?password=${PLAIN_DATABASE}`,
    JOBS_STORAGE: `DefaultEndpointsProtocol=http;AccountName=acct;AccountKey=${ACCOUNT_KEY};QueueEndpoint=${base}/acct;`,
    AzureWebJobsStorage: `QueueEndpoint=${base}/acct;SharedAccessSignature=sv=2024&sig=${SIGNATURE}`,
    OPENAI_API_KEY: OPENAI,
    OPENAI_BASE_URL: `${base}/v1`,
    AZURE_SEARCH_ENDPOINT: base,
    AZURE_SEARCH_INDEX: 'docs',
    AZURE_SEARCH_API_KEY: SEARCH,
    TASKFORCE_API_KEY: API,
    OPENAI_APIKEY: LOOK_ALIKE,
  }
}

const kinds: Record<string, (good: Settings) => Settings> = {
  'as it should be': (good) => good,
  'with Azure OpenAI and its key': (good) => ({
    ...good,
    AZURE_OPENAI_ENDPOINT: good['AZURE_SEARCH_ENDPOINT'] ?? '',
    AZURE_OPENAI_DEPLOYMENT: 'mini',
    AZURE_OPENAI_API_KEY: AZURE,
  }),
  'with tokens of Entra ID': (good) => ({
    ...good,
    AZURE_SEARCH_API_KEY: '',
    JOBS_STORAGE: '',
    DATABASE_AUTH: 'entra',
    JOBS_STORAGE__queueServiceUri: `${good['AZURE_SEARCH_ENDPOINT']}/?sig=${SIGNATURE}`,
  }),
  'with passwords in its addresses': (good) => ({
    ...good,
    OPENAI_BASE_URL: (good['OPENAI_BASE_URL'] ?? '').replace('//', `//me:${IN_URL}@`),
    AZURE_SEARCH_ENDPOINT: (good['AZURE_SEARCH_ENDPOINT'] ?? '').replace('//', `//me:${IN_URL}@`),
  }),
  'with an address that no parser understands': (good) => ({
    ...good,
    DATABASE_URL: `postgresql://app:${DATABASE}@127.0.0.1/taskforce`,
    JOBS_STORAGE: ACCOUNT_KEY,
    OPENAI_BASE_URL: `http://${IN_URL}:x:y/v1`,
  }),
  'with everything in the wrong place': (good) => ({
    ...good,
    DATABASE_URL: `mysql://app:${encodeURIComponent(DATABASE)}@127.0.0.1/x`,
    OPENAI_MODEL: MISPLACED,
    LOG_LEVEL: OPENAI,
    DATABASE_POOLER: PLAIN_DATABASE,
    SLICE_SECONDS: AZURE,
  }),
}

/** All paths to both forms of output: with --ask everything else is looked at too. */
const modes = [[], ['--ask', '--json']]

async function output(env: Settings, words: string[]): Promise<string> {
  const streams = { stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() }
  const terminal = createTerminal(streams as unknown as Streams, {})
  const tokens = createTokens(async () => ({ getToken: async () => ({ token: TOKEN, expiresOnTimestamp: 2 ** 42 }) }))
  await main(words, { env, cwd: folder, terminal, nodeVersion: '24.0.0', tokens, deadlineMs: 30_000 })
  return `${streams.stdout.read()}${streams.stderr.read()}`
}

function leaks(text: string): string[] {
  return canaries.filter((canary) => text.includes(canary))
}

describe.each(Object.entries(kinds))('settings %s', (_, change) => {
  it.each([200, 302, 400, 401, 403, 404, 500])(
    'tell no secret to the reader where servers answer %i and repeat them',
    async (status) => {
      const http = await listen(createHttpServer(parrot(status)))
      const postgres = await listen(createServer(parrotPostgres))
      const env = change(settings(http, postgres))
      for (const mode of modes) {
        const words = [...mode, '--url', `http://127.0.0.1:${http}`]
        const text = await output(env, words)
        expect(text).toMatch(/OPENAI_BASE_URL/)
        expect(leaks(text)).toEqual([])
      }
    },
  )
})

it('the command tells none either, on both of its streams', async () => {
  const http = await listen(createHttpServer(parrot(401)))
  const postgres = await listen(createServer(parrotPostgres))
  const env = { PATH: process.env.PATH, ...settings(http, postgres) }
  const child = spawn(process.execPath, [script, '--ask'], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const [stdout, stderr] = await Promise.all([read(child.stdout), read(child.stderr), once(child, 'close')])
  expect(child.exitCode).toBe(1)
  expect(stdout).toContain('account acct')
  expect(leaks(stdout + stderr)).toEqual([])
})
