import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { assert, asyncProperty, nat, uniqueArray } from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ModelRequest } from '../../src/models/model.ts'
import { createOpenAiModel } from '../../src/models/openai.ts'
import type { OpenAiModelOptions } from '../../src/models/openai.ts'
import { callPiece, chunk, DONE, event, refuse, startChatServer, stream, text, usage } from '../support/chat-server.ts'
import type { ChatServer } from '../support/chat-server.ts'

let server: ChatServer

beforeAll(async () => {
  server = await startChatServer()
})

afterAll(() => server.stop())

const request: ModelRequest = {
  model: 'some-model',
  messages: [{ role: 'user', content: 'Say hello' }],
  tools: [],
}

function complete(changes: Partial<ModelRequest> = {}, onText?: (piece: string) => void) {
  return model().complete({ ...request, ...changes }, { signal: new AbortController().signal, onText })
}

function model(options: Partial<OpenAiModelOptions> = {}) {
  return createOpenAiModel({ apiKey: 'test-key', baseUrl: server.url, retry: { attempts: 1 }, ...options })
}

describe('an answer', () => {
  test('arrives piece by piece and whole, with the usage of the last chunk', async () => {
    server.script(stream(chunk({ content: 'Hel' }), chunk({ content: 'lo' }), chunk({}, 'stop'), usage(12, 3), DONE))
    const pieces: string[] = []

    const answer = await complete({}, (piece) => pieces.push(piece))

    expect(pieces).toEqual(['Hel', 'lo'])
    expect(answer).toEqual({
      model: 'served-model',
      text: 'Hello',
      toolCalls: [],
      finishReason: 'stop',
      usage: { inputTokens: 12, outputTokens: 3 },
    })
    expect(server.requests[0]).toMatchObject({
      path: '/v1/chat/completions',
      headers: { authorization: 'Bearer test-key' },
      body: { model: 'some-model', stream: true, stream_options: { include_usage: true } },
    })
  })

  test('is the same wherever the network cuts its bytes', async () => {
    const body = Buffer.from(
      event(chunk({ content: 'Grüße 🚀 ' })) +
        ': a comment\r\n\r\n' +
        event(callPiece(0, 'call_1', 'write_file', '{"name":"ü.txt"}')) +
        event(chunk({}, 'tool_calls')) +
        event(usage(5, 6)) +
        DONE,
    )
    await assert(
      asyncProperty(uniqueArray(nat(body.length - 1), { maxLength: 12 }), async (cuts) => {
        const edges = [0, ...cuts.sort((a, b) => a - b), body.length]
        server.script(stream(...edges.slice(1).map((edge, index) => body.subarray(edges[index], edge))))
        const answer = await complete()
        expect(answer.text).toBe('Grüße 🚀 ')
        expect(answer.toolCalls).toEqual([{ id: 'call_1', name: 'write_file', arguments: '{"name":"ü.txt"}' }])
      }),
      { numRuns: 25 },
    )
  })

  test('of a server that does not stream is read too', async () => {
    const message = { content: 'Hi', tool_calls: [{ id: 'c1', function: { name: 'wait', arguments: '{}' } }] }
    server.script(refuse(200, { model: 'm', choices: [{ index: 0, message, finish_reason: 'stop' }] }))
    expect(await complete()).toMatchObject({
      model: 'm',
      text: 'Hi',
      toolCalls: [{ id: 'c1', name: 'wait', arguments: '{}' }],
      finishReason: 'tool_calls',
    })
  })

  test('is not lost when its preview fails', async () => {
    server.script(text('Hello'))
    const answer = await complete({}, () => {
      throw new Error('the reader is gone')
    })
    expect(answer.text).toBe('Hello')
  })
})

describe('tool calls', () => {
  test('in pieces, interleaved and together with text, are put together by index', async () => {
    server.script(
      stream(
        chunk({ content: 'Let me see.' }),
        callPiece(0, 'a', 'read_file', ''),
        callPiece(1, 'b', 'wait', '{"sec'),
        callPiece(0, undefined, undefined, '{"name":'),
        callPiece(1, undefined, undefined, 'onds":1}'),
        callPiece(0, undefined, undefined, '"x"}'),
        chunk({}, 'tool_calls'),
        DONE,
      ),
    )
    expect(await complete()).toMatchObject({
      text: 'Let me see.',
      finishReason: 'tool_calls',
      toolCalls: [
        { id: 'a', name: 'read_file', arguments: '{"name":"x"}' },
        { id: 'b', name: 'wait', arguments: '{"seconds":1}' },
      ],
    })
  })
})

describe('the request', () => {
  test('carries the conversation, the tools and the limits', async () => {
    server.script(text('ok'))
    const parameters = { type: 'object', properties: {} }
    await complete({
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Go' },
        { role: 'assistant', content: '', toolCalls: [{ id: 'a', name: 'wait', arguments: '{"seconds":1}' }] },
        { role: 'tool', callId: 'a', content: 'waited' },
      ],
      tools: [{ name: 'wait', description: 'Waits.', parameters }],
      temperature: 0,
      maxOutputTokens: 100,
    })
    expect(server.requests[0]?.body).toMatchObject({
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Go' },
        {
          role: 'assistant',
          content: null,
          tool_calls: [{ id: 'a', type: 'function', function: { name: 'wait', arguments: '{"seconds":1}' } }],
        },
        { role: 'tool', tool_call_id: 'a', content: 'waited' },
      ],
      tools: [{ type: 'function', function: { name: 'wait', description: 'Waits.', parameters } }],
      temperature: 0,
      max_tokens: 100,
    })
  })

  test('wraps past arguments that are no JSON object, which strict servers refuse', async () => {
    server.script(text('ok'))
    await complete({
      messages: [{ role: 'assistant', content: '', toolCalls: [{ id: 'a', name: 'wait', arguments: '{"seconds":' }] }],
    })
    expect(JSON.stringify(server.requests[0]?.body)).toContain(
      JSON.stringify(JSON.stringify({ invalid_arguments: '{"seconds":' })),
    )
  })

  test('has no tools field when there are none', async () => {
    server.script(text('ok'))
    await complete()
    expect(server.requests[0]?.body).not.toHaveProperty('tools')
  })

  test('works without a key, for servers that ask for none', async () => {
    server.script(text('ok'))
    const answer = await model({ apiKey: '' }).complete(request, { signal: new AbortController().signal })
    expect(answer.text).toBe('ok')
  })
})

test('the openai package, 140 ms of start time, is not loaded before the first call', async () => {
  const script = `
    const { registerHooks } = process.getBuiltinModule('node:module')
    const loaded = []
    registerHooks({ resolve: (name, context, next) => (loaded.push(name), next(name, context)) })
    const { createOpenAiModel } = await import('./src/models/openai.ts')
    createOpenAiModel({ apiKey: 'x' })
    console.log(JSON.stringify(loaded))`
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script])
  expect(stdout).toContain('./read-completion.ts')
  expect(stdout).not.toContain('"openai')
})

describe('a server that refuses an optional field', () => {
  test.each([
    ['stream_options', 'Unrecognized request argument supplied: stream_options'],
    ['max_tokens', "Unsupported parameter: 'max_tokens' is not supported with this model."],
    ['temperature', "Unsupported value: 'temperature' does not support 0.2 with this model."],
  ])('is asked once more without %s, and from then on', async (field, message) => {
    server.script(refuse(400, { error: { message, param: field } }), text('one'), text('two'))
    const once = model()
    const { signal } = new AbortController()
    const full = { ...request, temperature: 0.2, maxOutputTokens: 50 }

    expect((await once.complete(full, { signal })).text).toBe('one')
    expect((await once.complete(full, { signal })).text).toBe('two')

    expect(server.requests.map(({ body }) => field in body)).toEqual([true, false, false])
    const limits = server.requests[2]?.body
    expect(limits?.max_tokens ?? limits?.max_completion_tokens).toBe(50)
  })

  test('is not asked again and again', async () => {
    const refusal = refuse(400, { error: { message: 'stream_options is unknown' } })
    server.script(refusal, refusal)
    await expect(complete()).rejects.toMatchObject({ code: 'model_bad_request' })
    expect(server.requests).toHaveLength(2)
  })
})
