import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { RetryableError, TerminalError } from '../../src/domain/errors.ts'
import { createOpenAiModel } from '../../src/models/openai.ts'
import type { OpenAiModelOptions } from '../../src/models/openai.ts'
import {
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
import type { Answer, ChatServer } from '../support/chat-server.ts'

let server: ChatServer
let waits: number[] = []

beforeAll(async () => {
  server = await startChatServer()
})

afterAll(() => server.stop())

const KEY = 'sk-canary-1234567890'
const SECRET = 'the-goal-nobody-may-see'

interface Changes extends Partial<OpenAiModelOptions> {
  signal?: AbortSignal
  onText?: (piece: string) => void
}

function complete({ signal = new AbortController().signal, onText, ...options }: Changes = {}) {
  waits = []
  const retry = { wait: (ms: number) => Promise.resolve(void waits.push(ms)), random: () => 0, ...options.retry }
  const model = createOpenAiModel({ apiKey: KEY, baseUrl: server.url, ...options, retry })
  const messages = [{ role: 'user' as const, content: SECRET }]
  return model.complete({ model: 'some-model', messages, tools: [] }, { signal, onText })
}

const once = { retry: { attempts: 1 } }

describe('a failure that may pass', () => {
  test.each([
    [408, 'model_timeout'],
    [429, 'model_rate_limited'],
    [500, 'model_unavailable'],
    [502, 'model_unavailable'],
    [503, 'model_unavailable'],
    [529, 'model_unavailable'],
  ])('with status %i is tried three times and then thrown as %s', async (status, code) => {
    server.script(refuse(status), refuse(status), refuse(status), text('too late'))
    const error = await complete().catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(RetryableError)
    expect(error).toMatchObject({ code })
    expect(server.requests).toHaveLength(3)
    expect(waits).toEqual([250, 500])
  })

  test('is over when a later attempt succeeds, and the pieces of the failed one were only a preview', async () => {
    server.script(cutAtOnce(), stream(chunk({ content: 'Hel' }), CUT), text('Hello'))
    const pieces: string[] = []
    const answer = await complete({ onText: (piece) => pieces.push(piece) })
    expect(answer.text).toBe('Hello')
    expect(pieces).toEqual(['Hel', 'Hello'])
  })

  test('of a server that is not there names the address', async () => {
    const gone = await startChatServer()
    await gone.stop()
    const origin = new URL(gone.url).origin
    await expect(complete({ baseUrl: gone.url, ...once })).rejects.toMatchObject({
      code: 'model_unavailable',
      message: `The model server at ${origin} could not be reached (ECONNREFUSED). If this lasts, check OPENAI_BASE_URL.`,
    })
  })

  test('for want of quota parks the mission for ten minutes at once', async () => {
    server.script(refuse(429, { error: { code: 'insufficient_quota', type: 'insufficient_quota', message: 'pay' } }))
    await expect(complete()).rejects.toMatchObject({ code: 'model_quota', retryAfterMs: 600_000 })
    expect(server.requests).toHaveLength(1)
  })
})

describe('Retry-After', () => {
  test.each([
    ['in seconds', { 'retry-after': '2' }, 2000],
    ['in milliseconds', { 'retry-after': '9', 'retry-after-ms': '40' }, 40],
    ['as a date', { 'retry-after': 'Sun, 23 Nov 2025 14:00:05 GMT', date: 'Sun, 23 Nov 2025 14:00:00 GMT' }, 5000],
  ])('%s is waited for when it is short', async (_form, headers, ms) => {
    server.script(refuse(429, {}, headers), text('Hello'))
    expect((await complete()).text).toBe('Hello')
    expect(waits).toEqual([ms])
  })

  test.each([
    ['in seconds', { 'retry-after': '120' }, 120_000],
    ['as a date', { 'retry-after': 'Sun, 23 Nov 2025 14:10:00 GMT', date: 'Sun, 23 Nov 2025 14:00:00 GMT' }, 600_000],
  ])('%s goes to the caller at once when it is long', async (_form, headers, retryAfterMs) => {
    server.script(refuse(503, {}, headers))
    await expect(complete()).rejects.toMatchObject({ code: 'model_unavailable', retryAfterMs })
    expect(server.requests).toHaveLength(1)
    expect(waits).toEqual([])
  })
})

describe('a failure that stays', () => {
  test.each([
    [401, {}, 'model_auth', 'OPENAI_API_KEY'],
    [403, {}, 'model_auth', 'OPENAI_API_KEY'],
    [404, {}, 'model_not_found', 'OPENAI_MODEL'],
    [400, { code: 'context_length_exceeded' }, 'model_context_too_long', 'OPENAI_MODEL'],
    [400, { message: "This model's maximum context length is 10 tokens" }, 'model_context_too_long', 'OPENAI_MODEL'],
    [400, { type: 'exceed_context_size_error' }, 'model_context_too_long', 'OPENAI_MODEL'],
    [413, {}, 'model_context_too_long', 'OPENAI_BASE_URL'],
    [400, { code: 'content_filter' }, 'model_content_filter', 'OPENAI_MODEL'],
    [400, { message: 'model "x" not found, try pulling it first' }, 'model_not_found', 'OPENAI_MODEL'],
    [400, { code: 'invalid_value' }, 'model_bad_request', 'OPENAI_BASE_URL'],
    [422, {}, 'model_bad_request', 'OPENAI_MODEL'],
  ])('with status %i and %o is %s after one request, with a hint at %s', async (status, body, code, setting) => {
    server.script(refuse(status, { error: body }))
    const error = await complete().catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(TerminalError)
    expect(error).toMatchObject({ code, hint: expect.stringContaining(setting) as string })
    expect(server.requests).toHaveLength(1)
  })

  test('names the code and the parameter of a refusal', async () => {
    server.script(refuse(400, { error: { code: 'invalid_value', param: 'tools[0].type', message: 'no' } }))
    await expect(complete()).rejects.toThrow('(400, code invalid_value, parameter tools[0].type)')
  })

  test('is a web page where the API should be', async () => {
    server.script(refuse(200, '<html></html>', { 'content-type': 'text/html; charset=utf-8' }))
    await expect(complete()).rejects.toMatchObject({ code: 'model_bad_request', hint: expect.stringContaining('/v1') })
  })

  test.each(['no url', 'localhost:11434/v1', 'http://user:secret@127.0.0.1:1/v1'])(
    'is the address %s',
    async (baseUrl) => {
      const error = await complete({ baseUrl }).catch((reason: unknown) => reason)
      expect(error).toMatchObject({ code: 'model_bad_request', hint: expect.stringContaining('OPENAI_BASE_URL') })
      expect(String(error)).not.toContain('secret')
    },
  )
})

test.each([400, 401, 404, 422, 429, 500])('no error with status %i repeats the key or the request', async (status) => {
  const echo = `Bearer ${KEY} said ${SECRET}`
  server.script(refuse(status, { error: { message: echo, code: KEY, param: echo, type: echo }, detail: echo }))
  const error = (await complete(once).catch((reason: unknown) => reason)) as TerminalError
  expect([error.message, error.hint, error.stack, error.cause].join('\n')).not.toMatch(/canary|nobody-may-see/)
})

describe('a stream', () => {
  const half = event(chunk({ content: 'Größe' }))
  const inUmlaut = Buffer.from(half).subarray(0, Buffer.from(half).indexOf('ö') + 1)
  const broken: [string, Answer][] = [
    ['that ends without a finish reason', stream(chunk({ content: 'Hel' }))],
    ['that says it is done without a finish reason', stream(chunk({ content: 'Hel' }), DONE)],
    ['cut between two pieces', stream(chunk({ content: 'Hel' }), CUT)],
    ['cut inside an event', stream(half.slice(0, 20), CUT)],
    ['ended inside an event', stream(half.slice(0, 20))],
    ['cut inside a character', stream(inUmlaut, CUT)],
    ['ended inside a character', stream(inUmlaut)],
    ['of something else', stream(chunk({ content: 'Hel' }), 'data: [1,2]\n\n')],
    ['that is empty', stream()],
  ]
  test.each(broken)('%s is broken, and tried again', async (_how, answer) => {
    server.script(answer, answer, answer)
    await expect(complete()).rejects.toMatchObject({ name: 'RetryableError', code: 'model_stream_broken' })
    expect(server.requests).toHaveLength(3)
  })

  test('cut after the finish reason has lost nothing but its usage', async () => {
    server.script(stream(chunk({ content: 'Hello' }, 'stop'), CUT))
    expect(await complete()).toMatchObject({ text: 'Hello', usage: { estimated: true } })
  })

  test.each([
    [
      'an error event',
      'event: error\ndata: {"error":{"type":"server_error","message":"oops"}}\n\n',
      'model_unavailable',
    ],
    ['an overload in a data event', event({ error: { code: 429, message: 'slow down' } }), 'model_rate_limited'],
    ['a full context', event({ error: { code: 'context_length_exceeded', message: '' } }), 'model_context_too_long'],
    ['a bad request', event({ error: { type: 'invalid_request_error', message: '' } }), 'model_bad_request'],
  ])('with %s after 200 is that error', async (_what, sent, code) => {
    server.script(stream(chunk({ content: 'Hel' }), sent))
    await expect(complete(once)).rejects.toMatchObject({ code })
  })

  test('that never starts is given up', async () => {
    server.script(stream(HANG))
    await expect(complete({ ...once, timeouts: { firstByteMs: 30 } })).rejects.toMatchObject({
      code: 'model_timeout',
      message: 'The model server sent no first byte within 0.03 s.',
    })
  })

  test('that is never answered is given up', async () => {
    server.script(() => undefined)
    await expect(complete({ ...once, timeouts: { firstByteMs: 30 } })).rejects.toMatchObject({ code: 'model_timeout' })
  })

  test('that stops midway is given up', async () => {
    server.script(stream(chunk({ content: 'Hel' }), HANG))
    await expect(complete({ ...once, timeouts: { betweenChunksMs: 30 } })).rejects.toMatchObject({
      message: 'The model server sent nothing more within 0.03 s.',
    })
  })

  test('that stops after the finish reason is an answer', async () => {
    server.script(stream(chunk({ content: 'Hello' }, 'stop'), HANG))
    expect(await complete({ ...once, timeouts: { betweenChunksMs: 30 } })).toMatchObject({ text: 'Hello' })
  })

  test('of an error body that never ends is given up', async () => {
    server.script((response) => void response.writeHead(500).write('half'))
    await expect(complete({ ...once, timeouts: { firstByteMs: 30 } })).rejects.toMatchObject({ code: 'model_timeout' })
  })
})

describe('an abort', () => {
  const reason = new Error('the mission was cancelled')

  test('before the call sends nothing', async () => {
    server.script(text('Hello'))
    await expect(complete({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect(server.requests).toHaveLength(0)
  })

  test('while the server thinks rejects with its reason', async () => {
    const abort = new AbortController()
    server.script(() => abort.abort(reason))
    await expect(complete({ ...once, signal: abort.signal })).rejects.toBe(reason)
  })

  test('in the middle of an answer rejects with its reason, and no more text comes', async () => {
    const abort = new AbortController()
    server.script(stream(event(chunk({ content: 'one' })) + event(chunk({ content: 'two' })), HANG))
    const pieces: string[] = []
    const onText = (piece: string) => {
      pieces.push(piece)
      abort.abort(reason)
    }
    await expect(complete({ ...once, signal: abort.signal, onText })).rejects.toBe(reason)
    expect(pieces).toEqual(['one'])
  })

  test('with the last piece rejects all the same', async () => {
    const abort = new AbortController()
    server.script(stream(chunk({ content: 'one' }, 'stop'), DONE))
    await expect(complete({ signal: abort.signal, onText: () => abort.abort(reason) })).rejects.toBe(reason)
  })

  test('between two attempts ends the wait', async () => {
    const abort = new AbortController()
    const wait = (_ms: number, signal: AbortSignal) => {
      abort.abort(reason)
      return delay(3_600_000, undefined, { signal })
    }
    server.script(refuse(500), text('too late'))
    await expect(complete({ signal: abort.signal, retry: { wait } })).rejects.toBe(reason)
    expect(server.requests).toHaveLength(1)
  })
})
