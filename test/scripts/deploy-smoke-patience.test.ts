import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { smoke } from '../../scripts/deploy/smoke.ts'
import type { SmokeOptions } from '../../scripts/deploy/smoke-request.ts'
import { quietLog } from '../support/azure/quiet-log.ts'

const EVENTS = 4
const MISSION = { id: 'a1', status: 'completed', lastSeq: EVENTS }

let slept: number[]
let keys: (string | undefined)[]
let said: string[]
/** What comes in place of the app's own answers, by method and path: each once. */
let lost: Map<string, ((request: IncomingMessage, response: ServerResponse) => void)[]>
beforeEach(() => {
  ;[slept, keys, said, lost] = [[], [], [], new Map()]
})
afterEach(() => void vi.restoreAllMocks())

/** A healthy app behind a front that loses answers. */
async function appOf(): Promise<SmokeOptions> {
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname
    if (request.method === 'POST') keys.push(request.headers['idempotency-key'] as string | undefined)
    const other = lost.get(`${request.method} ${path}`)?.shift()
    if (other !== undefined) return other(request, response)
    const send = (status: number, body: unknown) => void response.writeHead(status).end(JSON.stringify(body))
    if (path === '/health') return send(200, { status: 'healthy', version: '1.0.0' })
    if (path === '/health/ready') return send(200, { status: 'ready', checks: {} })
    if (path.endsWith('/events')) return sendEvents(request, response, EVENTS)
    return send(request.method === 'POST' ? 202 : 200, MISSION)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  let at = 0
  return {
    url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`,
    apiKey: 'key',
    expected: { version: '1.0.0' },
    goal: 'Say hello',
    profile: undefined,
    clock: { monotonic: () => at, sleep: (ms) => Promise.resolve(void ((at += ms), slept.push(ms))) },
    log: quietLog(said),
  }
}

function sendEvents(request: IncomingMessage, response: ServerResponse, last: number, end = true): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  for (let seq = Number(request.headers['last-event-id'] ?? 0) + 1; seq <= last; seq++)
    response.write(`id: ${seq}\ndata: {}\n\n`)
  if (end) response.end()
}

const status =
  (code: number, headers: Record<string, string> = {}, body: object = {}) =>
  (_: IncomingMessage, response: ServerResponse) =>
    void response.writeHead(code, headers).end(JSON.stringify(body))
const drop = (request: IncomingMessage) => void request.socket.destroy()

const UNAVAILABLE = { status: 'unavailable', checks: { database: { status: 'fail', detail: 'it does not answer' } } }

describe('one lost answer', () => {
  it.each([
    ['of readiness', 'GET /health/ready', status(502)],
    ['of readiness, while the app starts', 'GET /health/ready', status(503, {}, UNAVAILABLE)],
    ['of a new mission', 'POST /api/v1/missions', status(503)],
    ['of a new mission, with its connection', 'POST /api/v1/missions', drop],
    ['of a new mission, as too much at once', 'POST /api/v1/missions', status(429)],
    ['of a mission', 'GET /api/v1/missions/a1', status(504)],
    ['of its events', 'GET /api/v1/missions/a1/events', status(503)],
    ['of its events, with its connection', 'GET /api/v1/missions/a1/events', drop],
  ])('%s does not fail the smoke test', async (_, route, answer) => {
    const options = await appOf()
    lost.set('POST /api/v1/missions', [status(202, {}, { ...MISSION, status: 'running' })])
    lost.set(route, [answer, ...(lost.get(route) ?? [])])
    await smoke(options)
    // The look at the mission that runs is the other one.
    expect(slept).toEqual(expect.arrayContaining([1_000, 2_000]))
    expect(slept).toHaveLength(2)
  })

  it('in the middle of a stream is read on after the last event', async () => {
    const options = await appOf()
    const half = (request: IncomingMessage, response: ServerResponse) => {
      sendEvents(request, response, 3, false)
      setImmediate(() => response.destroy())
    }
    const whole = (request: IncomingMessage, response: ServerResponse) => sendEvents(request, response, EVENTS)
    lost.set('GET /api/v1/missions/a1/events', [whole, half])
    await smoke(options)
    expect(slept).toEqual([1_000])
  })

  it('of a new mission makes no second one, and Retry-After is waited for', async () => {
    const options = await appOf()
    lost.set('POST /api/v1/missions', [
      status(429, { 'retry-after': '7' }),
      drop,
      status(503, { 'retry-after': '900' }),
    ])
    await smoke(options)
    expect(slept).toEqual([7_000, 2_000, 60_000])
    expect(keys).toHaveLength(4)
    expect(new Set(keys).size).toBe(1)
    expect(keys[0]).toBeTruthy()
  })
})

describe('answers that stay lost fail it after about a minute', () => {
  it.each([
    ['GET /health/ready', status(503, {}, UNAVAILABLE), 'the service is unavailable (database: it does not answer)'],
    ['GET /health/ready', status(502), '/health/ready is answered with 502 {}'],
    ['POST /api/v1/missions', status(503), '/api/v1/missions is answered with 503 {}'],
    ['POST /api/v1/missions', drop, '/api/v1/missions gives no answer (UND_ERR_SOCKET)'],
    ['GET /api/v1/missions/a1/events', status(503), '/api/v1/missions/a1/events is answered with 503'],
  ])('%s', async (route, answer, words) => {
    const options = await appOf()
    lost.set(route, Array(30).fill(answer))
    await expect(smoke(options)).rejects.toMatchObject({
      code: 'smoke_failed',
      message: expect.stringContaining(words),
    })
    const waited = slept.reduce((sum, ms) => sum + ms, 0)
    expect(waited).toBeGreaterThanOrEqual(60_000)
    expect(waited).toBeLessThan(90_000)
  })

  it('a refusal is not waited for', async () => {
    const options = await appOf()
    lost.set('POST /api/v1/missions', [status(401)])
    await expect(smoke(options)).rejects.toThrow('a new mission is answered with 401')
    expect(slept).toEqual([])
  })
})

it('a stream that does not end says so, and how far it came', async () => {
  const options = await appOf()
  const hang = (request: IncomingMessage, response: ServerResponse) => sendEvents(request, response, 3, false)
  const whole = (request: IncomingMessage, response: ServerResponse) => sendEvents(request, response, EVENTS)
  lost.set('GET /api/v1/missions/a1/events', [whole, ...Array<typeof hang>(30).fill(hang)])
  const inTime = AbortSignal.timeout.bind(AbortSignal)
  vi.spyOn(AbortSignal, 'timeout').mockImplementation(() => inTime(150))
  await expect(smoke(options)).rejects.toThrow(
    'The smoke test failed: the stream of events of the mission a1 did not end within 60 s; 3 of 4 came.',
  )
})
