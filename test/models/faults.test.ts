import { once as emitted } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { RetryableError, TerminalError } from '../../src/domain/errors.ts'
import {
  callPiece,
  chunk,
  CUT,
  cutAtOnce,
  DONE,
  event,
  HANG,
  refuse,
  startChatServer,
  stream,
  text,
} from '../support/chat-server.ts'
import type { Answer, ChatServer, Step } from '../support/chat-server.ts'
import { ask, once } from './ask.ts'

/** Faults F33 to F37 of the faults page: what can happen to a request. F38 to F44, about answers, are in answer-faults. */
let server: ChatServer

// One for each test: a request that was given up on its way must not take the next test's answer.
beforeEach(async () => {
  server = await startChatServer()
})

afterEach(() => server.stop())

const date = 'Sun, 23 Nov 2025 14:00:00 GMT'

test.each([
  ['in seconds', { 'retry-after': '2' }, 2000],
  ['in milliseconds', { 'retry-after': '9', 'retry-after-ms': '40' }, 40],
  ['as a date', { 'retry-after': 'Sun, 23 Nov 2025 14:00:05 GMT', date }, 5000],
])('F33 a short Retry-After %s is waited for', async (_form, headers, ms) => {
  server.script(refuse(429, {}, headers), text('Hello'))
  const waits: number[] = []
  expect(await ask(server, { waits })).toMatchObject({ text: 'Hello', usage: { inputTokens: 12, outputTokens: 3 } })
  expect(waits).toEqual([ms])
})

test.each([
  [429, 'in seconds', { 'retry-after': '120' }, 'model_rate_limited', 120_000],
  [429, 'as a date', { 'retry-after': 'Sun, 23 Nov 2025 14:10:00 GMT', date }, 'model_rate_limited', 600_000],
  [408, 'in seconds', { 'retry-after': '120' }, 'model_timeout', 120_000],
  [503, 'as a date', { 'retry-after': 'Sun, 23 Nov 2025 14:10:00 GMT', date }, 'model_unavailable', 600_000],
])(
  'F33 %i with a long Retry-After %s goes to the caller at once',
  async (status, _form, headers, code, retryAfterMs) => {
    server.script(refuse(status, {}, headers))
    const error = await ask(server).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(RetryableError)
    expect(error).toMatchObject({ code, retryAfterMs })
    expect(server.requests).toHaveLength(1)
  },
)

test.each([408, 429, 500, 502, 503, 529])('F34 two of %i in a row are survived', async (status) => {
  server.script(refuse(status), refuse(status), text('Hello'))
  const waits: number[] = []
  expect(await ask(server, { waits })).toMatchObject({ text: 'Hello' })
  expect(waits).toEqual([250, 500])
})

test.each([
  [408, 'model_timeout'],
  [429, 'model_rate_limited'],
  [500, 'model_unavailable'],
  [502, 'model_unavailable'],
  [503, 'model_unavailable'],
  [529, 'model_unavailable'],
])('F34 a lasting %i is %s after three attempts, and may pass', async (status, code) => {
  server.script(refuse(status), refuse(status), refuse(status), text('too late'))
  await expect(ask(server)).rejects.toMatchObject({ name: 'RetryableError', code, retryAfterMs: undefined })
  expect(server.requests).toHaveLength(3)
})

test.each([400, 401, 402, 403, 404, 405, 409, 413, 415, 422, 425])('F34 %i is not repeated', async (status) => {
  const body = { error: { code: 'insufficient_quota', type: 'rate_limit_error' } }
  for (const answer of [refuse(status), refuse(status, body, { 'retry-after': '1' })]) {
    server.script(answer, text('too late'))
    expect(await ask(server).catch((reason: unknown) => reason)).toBeInstanceOf(TerminalError)
    expect(server.requests).toHaveLength(1)
  }
})

test.each([
  [429, 'Rate limit reached: too many tokens per minute.', 'model_rate_limited'],
  [500, 'The context window of the cache is being moved.', 'model_unavailable'],
  [503, 'The content_filter did not answer.', 'model_unavailable'],
])('F34 %i may pass, whatever its words (%s) would mean with 400', async (status, message, code) => {
  server.script(refuse(status, { error: { message } }))
  await expect(ask(server, once)).rejects.toMatchObject({ name: 'RetryableError', code })
})

test('F35 a connection that does not come about is given up', async () => {
  // Takes the TCP connection, and never answers the TLS greeting.
  const silent = createServer((socket) => void socket.on('error', () => undefined)).listen(0, '127.0.0.1')
  await emitted(silent, 'listening')
  const origin = `https://127.0.0.1:${(silent.address() as AddressInfo).port}`
  await expect(ask(server, { ...once, baseUrl: `${origin}/v1`, timeouts: { connectMs: 30 } })).rejects.toMatchObject({
    name: 'RetryableError',
    code: 'model_unavailable',
    message: `The model server at ${origin} could not be reached (no connection in time). If this lasts, check OPENAI_BASE_URL.`,
  })
  silent.close()
})

const firstByte = [{ firstByteMs: 30 }, 'The model server sent no first byte within 0.03 s.'] as const
const silences: [string, Answer, object, string][] = [
  ['no answer', () => undefined, ...firstByte],
  ['headers alone', stream(HANG), ...firstByte],
  ['half an error', (response) => void response.writeHead(500).write('half'), ...firstByte],
  [
    'half an answer',
    stream(chunk({ content: 'Hel' }), HANG),
    { betweenChunksMs: 30 },
    'The model server sent nothing more within 0.03 s.',
  ],
]
test.each(silences)('F35 %s and then silence is given up', async (_what, answer, timeouts, message) => {
  server.script(answer)
  await expect(ask(server, { ...once, timeouts })).rejects.toMatchObject({ code: 'model_timeout', message })
})

const half = event(chunk({ content: 'Größe' }))
const inUmlaut = Buffer.from(half).subarray(0, Buffer.from(half).indexOf('ö') + 1)
const broken: [string, Answer][] = [
  ['F36 cut before the first byte', cutAtOnce()],
  ['F36 cut between two pieces', stream(chunk({ content: 'Hel' }), CUT)],
  ['F36 cut inside the arguments of a call', stream(callPiece(0, 'a', 'wait', '{"sec'), CUT)],
  ['F36 cut inside an event', stream(half.slice(0, 20), CUT)],
  ['F36 cut inside a character', stream(inUmlaut, CUT)],
  ['F37 ended inside an event', stream(half.slice(0, 20))],
  ['F37 ended inside a character', stream(inUmlaut)],
  ['F37 ended without a finish reason', stream(chunk({ content: 'Hel' }))],
  ['F37 done without a finish reason', stream(chunk({ content: 'Hel' }), DONE)],
  ['F37 of something else', stream(chunk({ content: 'Hel' }), 'data: [1,2]\n\n')],
  ['F37 of nothing', stream()],
]
test.each(broken)('%s is broken, and tried again', async (name, answer) => {
  server.script(answer, answer, answer)
  const code = name.includes('first byte') ? 'model_unavailable' : 'model_stream_broken'
  await expect(ask(server)).rejects.toMatchObject({ name: 'RetryableError', code })
  expect(server.requests).toHaveLength(3)
})

test.each<[string, Step]>([
  ['cut', CUT],
  ['silent', HANG],
  ['broken', 'data: {broken\n\n'],
  ['an error', event({ error: { message: 'boom', type: 'server_error' } })],
  ['an error that blames the request', event({ error: { message: 'boom', type: 'invalid_request_error' } })],
])('F37 %s after the finish reason has lost nothing but its usage', async (_how, step) => {
  server.script(stream(chunk({ content: 'Hello' }, 'stop'), step))
  const answer = await ask(server, { ...once, timeouts: { betweenChunksMs: 30 } })
  expect(answer).toMatchObject({ text: 'Hello', finishReason: 'stop', usage: { estimated: true } })
})
