import { afterAll, beforeAll, expect, test } from 'vitest'
import { TerminalError } from '../../src/domain/errors.ts'
import { callPiece, chunk, CUT, DONE, endless, event, refuse, startChatServer, stream } from '../support/chat-server.ts'
import { text, usage } from '../support/chat-server.ts'
import type { Answer, ChatServer, Step } from '../support/chat-server.ts'
import { ask, once, request } from './ask.ts'

/** Faults F38 to F44 of the faults page, as far as the model's part in them goes; the agent's is in test/engine. */
let server: ChatServer

beforeAll(async () => {
  server = await startChatServer()
})

afterAll(() => server.stop())

test.each([
  ['truncated', '{"seconds":'],
  ['with a trailing comma', '{"seconds":1,}'],
  ['of the wrong type', '{"seconds":"soon"}'],
  ['that are a list', '[1]'],
  ['with a key twice', '{"seconds":1,"seconds":2}'],
  ['with __proto__', '{"__proto__":{"polluted":true},"seconds":1}'],
  ['of 1 MB', JSON.stringify({ text: 'ü'.repeat(2 ** 20) })],
])('F38 arguments %s arrive as they were written', async (_what, args) => {
  const pieces = args.match(/[^]{1,65536}/g) ?? []
  const steps = pieces.map((piece, index) => callPiece(0, index === 0 ? 'a' : undefined, undefined, piece))
  server.script(stream(callPiece(0, 'a', 'wait', ''), ...steps, chunk({}, 'tool_calls')))
  expect((await ask(server)).toolCalls).toEqual([{ id: 'a', name: 'wait', arguments: args }])
  expect({}).not.toHaveProperty('polluted')
})

/** A whole call with nothing that tells it from the next one. */
const wholeCall = { function: { name: 'n'.repeat(1000), arguments: '{}' } }

test.each([
  ['text', event(chunk({ content: 'x'.repeat(2 ** 16) }))],
  ['arguments', event(callPiece(0, 'a', 'wait', 'x'.repeat(2 ** 16)))],
  ['calls', event(chunk({ tool_calls: Array.from({ length: 99 }, () => wholeCall) }))],
  ['one event', 'x'.repeat(2 ** 16)],
])('F38 %s without end are cut off, paid for and not repeated', async (_what, bytes) => {
  const { answer, closed } = endless('data: {}\n\n', bytes)
  server.script(answer)
  const error = await ask(server).catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(TerminalError)
  expect(error).toMatchObject({ code: 'model_answer_too_long', spent: { inputTokens: expect.any(Number) as number } })
  await closed
})

test('F38 an answer of many events may have more bytes than one event', async () => {
  const padding = { ...chunk({ content: 'x' }), padding: 'p'.repeat(2 ** 16) }
  server.script(stream(...Array.from({ length: 300 }, () => padding), chunk({}, 'stop'), DONE))
  expect((await ask(server, once)).text).toHaveLength(300)
})

test.each<[string, Step[], [string, string, string][]]>([
  ['a call of an unknown tool', [callPiece(0, 'a', 'no_such_tool', '{}')], [['a', 'no_such_tool', '{}']]],
  [
    'two calls with one id',
    [callPiece(0, 'a', 'wait', '{}'), callPiece(1, 'a', 'read_file', '{"name":"x"}')],
    [
      ['a', 'wait', '{}'],
      ['call_', 'read_file', '{"name":"x"}'],
    ],
  ],
  ['a call without an id', [callPiece(0, undefined, 'wait', '{}')], [['call_', 'wait', '{}']]],
  ['a call without a name', [callPiece(0, 'a', undefined, '{}')], [['a', '', '{}']]],
])('F39 %s arrives, with an id of its own', async (_what, steps, calls) => {
  server.script(stream(chunk({ content: 'Let me see.' }), ...steps, chunk({}, 'tool_calls')))
  const answer = await ask(server, once)
  expect(answer).toMatchObject({ text: 'Let me see.', finishReason: 'tool_calls' })
  expect(answer.toolCalls).toEqual(
    calls.map(([id, name, args]) => ({ id: expect.stringMatching(`^${id}`) as string, name, arguments: args })),
  )
  expect(new Set(answer.toolCalls.map(({ id }) => id)).size).toBe(calls.length)
})

test.each([
  ['nothing', {}, 'stop', { text: '', toolCalls: [], finishReason: 'stop' }],
  ['a refusal', { refusal: 'I will not.' }, 'stop', { text: 'I will not.', finishReason: 'stop' }],
  ['a half', { content: 'Hel' }, 'length', { text: 'Hel', finishReason: 'length' }],
  ['a half, as gateways say it,', { content: 'Hel' }, 'max_tokens', { text: 'Hel', finishReason: 'length' }],
  ['a filtered text', { content: 'Hel' }, 'content_filter', { text: 'Hel', finishReason: 'content_filter' }],
  ['an unknown end', { content: 'Hel' }, 'eos', { text: 'Hel', finishReason: 'other' }],
])('F40 %s is an answer that says how it ended', async (_what, delta, reason, expected) => {
  server.script(stream(chunk(delta), chunk({}, reason), usage(12, 3), DONE))
  expect(await ask(server, once)).toMatchObject({ ...expected, usage: { inputTokens: 12, outputTokens: 3 } })
})

test.each([
  ['an error', 'event: error\ndata: {"error":{"type":"server_error","message":"oops"}}\n\n', 'model_unavailable'],
  ['an overload', event({ error: { code: 429, message: 'slow down' } }), 'model_rate_limited'],
  ['a full context', event({ error: { code: 'context_length_exceeded', message: '' } }), 'model_context_too_long'],
  ['a bad request', event({ error: { type: 'invalid_request_error', message: '' } }), 'model_bad_request'],
])('F41 %s in a stream is that error', async (_what, sent, code) => {
  server.script(stream(chunk({ content: 'Hel' }), sent))
  await expect(ask(server, once)).rejects.toMatchObject({ code })
})

const azure = {
  message: "This model's maximum context length is 8192 tokens. However, your messages resulted in 8200 tokens.",
  type: 'invalid_request_error',
  param: 'messages',
  code: 'context_length_exceeded',
}
const llama = {
  code: 400,
  message: 'request (9412 tokens) exceeds the available context size (8192 tokens), try increasing it',
  type: 'exceed_context_size_error',
}
const inputExceeds = 'Your input exceeds the context window of this model. Please adjust your input and try again.'
const vllm = 'The decoder prompt (length 88049) is longer than the maximum model length of 32768.'
const vllmInput = "This model's maximum context length is 3 tokens. However, your request has 8 input tokens."
const ollama = 'prompt too long; exceeded max context length by 42 tokens'

test.each<[string, Answer]>([
  ['OpenAI', refuse(400, { error: { code: 'context_length_exceeded', message: inputExceeds } })],
  [
    'OpenAI, for one message,',
    refuse(400, { error: { code: 'string_above_max_length', param: 'messages[0].content' } }),
  ],
  ['Azure OpenAI', refuse(400, { error: azure })],
  ['vLLM', refuse(400, { error: { message: vllm, type: 'BadRequestError', code: 400 } })],
  ['vLLM, newer,', refuse(400, { error: { message: vllmInput, type: 'BadRequestError', param: 'input_tokens' } })],
  [
    'vLLM, older,',
    refuse(400, { object: 'error', message: vllmInput, type: 'BadRequestError', param: null, code: 400 }),
  ],
  ['llama.cpp', refuse(400, { error: llama })],
  ['llama.cpp, older,', refuse(500, { error: { ...llama, code: 500 } })],
  ['llama.cpp, with 200,', refuse(200, { error: llama })],
  ['Ollama', refuse(400, { error: { message: ollama, type: 'invalid_request_error' } })],
  ['Ollama, in its own form,', refuse(400, { error: ollama })],
  ['a gateway', refuse(400, { error: { message: 'prompt is too long: 208310 tokens > 200000 maximum' } })],
  ['a proxy', refuse(413, 'too large')],
])('F42 a conversation that is too long for %s is not repeated', async (_who, answer) => {
  server.script(answer, text('too late'))
  const error = await ask(server).catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(TerminalError)
  expect(error).toMatchObject({ code: 'model_context_too_long' })
  expect(server.requests).toHaveLength(1)
})

test('F43 of two different answers the second counts, and only that', async () => {
  const first = [chunk({ content: 'Hel' }), callPiece(0, 'a', 'wait', '{"sec'), usage(7, 7)]
  server.script(stream(...first, CUT), stream(callPiece(0, 'b', 'read_file', '{}'), chunk({}, 'tool_calls')))
  const pieces: string[] = []
  expect(await ask(server, { onText: (piece) => pieces.push(piece) })).toMatchObject({
    text: '',
    toolCalls: [{ id: 'b', name: 'read_file', arguments: '{}' }],
  })
  expect(pieces).toEqual(['Hel'])
})

test.each([
  ['none', []],
  ['zeros', [usage(0, 0)]],
  ['null', [{ choices: [], usage: null }]],
  ['words', [{ choices: [], usage: { prompt_tokens: 'many', completion_tokens: 3 } }]],
  // The journal takes whole numbers from 0 on.
  ['a fraction', [usage(12.5, 3)]],
  ['negative', [usage(12, -1)]],
  ['beyond all contexts', [usage(12, 1e9 + 1)]],
  ['beyond all integers', [usage(1e300, 3)]],
])('F44 where usage is %s, four characters count as a token', async (_what, steps) => {
  server.script(stream(chunk({ content: 'x'.repeat(41) }), chunk({}, 'stop'), ...steps, DONE))
  const sent = JSON.stringify(request.messages).length + '[]'.length
  expect((await ask(server, once)).usage).toEqual({
    inputTokens: Math.ceil(sent / 4),
    outputTokens: 11,
    estimated: true,
  })
})
