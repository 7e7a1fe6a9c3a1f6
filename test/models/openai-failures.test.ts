import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { TerminalError } from '../../src/domain/errors.ts'
import { chunk, cutAtOnce, CUT, DONE, endless, event, HANG, refuse, startChatServer } from '../support/chat-server.ts'
import { stream, text } from '../support/chat-server.ts'
import type { ChatServer } from '../support/chat-server.ts'
import { ask, KEY, once, SECRET } from './ask.ts'

let server: ChatServer

beforeAll(async () => {
  server = await startChatServer()
})

afterAll(() => server.stop())

describe('a failure that may pass', () => {
  test('is over when a later attempt succeeds, and the pieces of the failed one were only a preview', async () => {
    server.script(cutAtOnce(), stream(chunk({ content: 'Hel' }), CUT), text('Hello'))
    const told: string[] = []
    const answer = await ask(server, {
      onText: (piece) => told.push(piece),
      onRestart: () => told.push('again'),
    })
    expect(answer.text).toBe('Hello')
    expect(told).toEqual(['again', 'Hel', 'again', 'Hello'])
  })

  test('is over also where who is told of it fails', async () => {
    server.script(cutAtOnce(), text('Hello'))
    const onRestart = vi.fn<() => void>(() => {
      throw new Error('the preview is broken')
    })
    expect(await ask(server, { onRestart })).toMatchObject({ text: 'Hello' })
    expect(onRestart).toHaveBeenCalledOnce()
  })

  test('of a server that is not there names the address', async () => {
    const gone = await startChatServer()
    await gone.stop()
    const origin = new URL(gone.url).origin
    await expect(ask(server, { baseUrl: gone.url, ...once })).rejects.toMatchObject({
      code: 'model_unavailable',
      message: `The model server at ${origin} could not be reached (ECONNREFUSED). If this lasts, check OPENAI_BASE_URL.`,
    })
  })

  test('for want of quota parks the mission for ten minutes at once', async () => {
    server.script(refuse(429, { error: { code: 'insufficient_quota', type: 'insufficient_quota', message: 'pay' } }))
    await expect(ask(server)).rejects.toMatchObject({ code: 'model_quota', retryAfterMs: 600_000 })
    expect(server.requests).toHaveLength(1)
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
    const error = await ask(server).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(TerminalError)
    expect(error).toMatchObject({ code, hint: expect.stringContaining(setting) as string })
    expect(server.requests).toHaveLength(1)
  })

  test('names the code and the parameter of a refusal', async () => {
    server.script(refuse(400, { error: { code: 'invalid_value', param: 'tools[0].type', message: 'no' } }))
    await expect(ask(server)).rejects.toThrow('(400, code invalid_value, parameter tools[0].type)')
  })

  test('is a web page where the API should be', async () => {
    server.script(refuse(200, '<html></html>', { 'content-type': 'text/html; charset=utf-8' }))
    await expect(ask(server)).rejects.toMatchObject({ code: 'model_bad_request', hint: expect.stringContaining('/v1') })
  })

  test.each([301, 302, 303, 307, 308])('is a redirect (%i): nobody else gets the conversation', async (status) => {
    const other = await startChatServer()
    const target = new URL(other.url).origin
    server.script(refuse(status, {}, { location: `${target}/keys/canary` }))
    await expect(ask(server)).rejects.toMatchObject({
      name: 'TerminalError',
      code: 'model_bad_request',
      message: `The model server at ${new URL(server.url).origin} redirects to ${target} (${status}), where the conversation was not sent.`,
      hint: expect.stringContaining('OPENAI_BASE_URL') as string,
    })
    expect([server.requests, other.requests].map(({ length }) => length)).toEqual([1, 0])
    await other.stop()
  })

  test.each(['/login?next=canary', 'http://', ''])(
    'is a redirect to "%s", which names no other server',
    async (location) => {
      server.script(refuse(307, {}, { location }))
      await expect(ask(server)).rejects.toThrow(/redirects to another path \(307\)/)
    },
  )

  test.each(['no url', 'localhost:11434/v1', 'http://user:secret@127.0.0.1:1/v1'])(
    'is the address %s',
    async (baseUrl) => {
      const error = await ask(server, { baseUrl }).catch((reason: unknown) => reason)
      expect(error).toMatchObject({ code: 'model_bad_request', hint: expect.stringContaining('OPENAI_BASE_URL') })
      expect(String(error)).not.toContain('secret')
    },
  )
})

test('an error without end is read as far as errors go', async () => {
  const { answer, closed } = endless('{"error":"', 'x'.repeat(2 ** 16), 500)
  server.script(answer)
  const failure = ask(server, { ...once, timeouts: { firstByteMs: 5_000 } })
  await expect(failure).rejects.toMatchObject({ code: 'model_unavailable' })
  await closed
})

test.each([400, 401, 404, 422, 429, 500])('no error with status %i repeats the key or the request', async (status) => {
  const echo = `Bearer ${KEY} said ${SECRET}`
  server.script(refuse(status, { error: { message: echo, code: KEY, param: echo, type: echo }, detail: echo }))
  const error = (await ask(server, once).catch((reason: unknown) => reason)) as TerminalError
  expect([error.message, error.hint, error.stack, error.cause].join('\n')).not.toMatch(/canary|nobody-may-see/)
})

describe('an abort', () => {
  const reason = new Error('the mission was cancelled')

  test('before the call sends nothing', async () => {
    server.script(text('Hello'))
    await expect(ask(server, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect(server.requests).toHaveLength(0)
  })

  test('while the server thinks rejects with its reason', async () => {
    const abort = new AbortController()
    server.script(() => abort.abort(reason))
    await expect(ask(server, { ...once, signal: abort.signal })).rejects.toBe(reason)
  })

  test('in the middle of an answer rejects with its reason, and no more text comes', async () => {
    const abort = new AbortController()
    server.script(stream(event(chunk({ content: 'one' })) + event(chunk({ content: 'two' })), HANG))
    const pieces: string[] = []
    const onText = (piece: string) => {
      pieces.push(piece)
      abort.abort(reason)
    }
    await expect(ask(server, { ...once, signal: abort.signal, onText })).rejects.toBe(reason)
    expect(pieces).toEqual(['one'])
  })

  test('with the last piece rejects all the same', async () => {
    const abort = new AbortController()
    server.script(stream(chunk({ content: 'one' }, 'stop'), DONE))
    await expect(ask(server, { signal: abort.signal, onText: () => abort.abort(reason) })).rejects.toBe(reason)
  })

  test('between two attempts ends the wait', async () => {
    const abort = new AbortController()
    const wait = (_ms: number, signal: AbortSignal) => {
      abort.abort(reason)
      return delay(3_600_000, undefined, { signal })
    }
    server.script(refuse(500), text('too late'))
    await expect(ask(server, { signal: abort.signal, retry: { wait } })).rejects.toBe(reason)
    expect(server.requests).toHaveLength(1)
  })
})
