import { afterEach, beforeEach, expect, test } from 'vitest'
import { estimateUsage } from '../../src/models/estimate-tokens.ts'
import { callPiece, chunk, CUT, cutAtOnce, DONE, event, HANG, refuse } from '../support/chat-server.ts'
import { startChatServer, stream, text, usage } from '../support/chat-server.ts'
import type { Answer, ChatServer } from '../support/chat-server.ts'
import { ask, once, request } from './ask.ts'

let server: ChatServer

// One for each test: a request that was given up on its way must not take the next test's answer.
beforeEach(async () => {
  server = await startChatServer()
})

afterEach(() => server.stop())

/** What an attempt costs that broke off after this text, by our own count. */
function estimate(received: string) {
  const { inputTokens, outputTokens } = estimateUsage(request, { text: received, toolCalls: [] })
  return { inputTokens, outputTokens }
}

const input = estimate('').inputTokens

test('what broken attempts have cost is part of the usage of the answer after them', async () => {
  const eight = stream(chunk({ content: 'eight ch' }), CUT)
  server.script(eight, eight, text('Hello'))
  expect((await ask(server)).usage).toEqual({ inputTokens: 2 * input + 12, outputTokens: 2 + 2 + 3, estimated: true })
})

test('what they all have cost is part of the last error', async () => {
  server.script(
    stream(chunk({ content: 'four' }), CUT),
    stream(chunk({ content: 'eight ch' })),
    stream(callPiece(0, 'a', 'wait', '{"seconds":1'), DONE),
  )
  const callOnly = Math.ceil('wait{"seconds":1'.length / 4)
  await expect(ask(server)).rejects.toMatchObject({
    code: 'model_stream_broken',
    spent: { inputTokens: 3 * input, outputTokens: 1 + 2 + callOnly },
  })
})

test('a count that the server sent is taken in place of an estimate', async () => {
  server.script(stream(chunk({ content: 'four' }), usage(70, 7), CUT), text('Hello'))
  expect((await ask(server)).usage).toEqual({ inputTokens: 70 + 12, outputTokens: 7 + 3, estimated: true })
})

test('silence after output, and after the headers, has cost something', async () => {
  server.script(stream(chunk({ content: 'four' }), HANG), stream(HANG))
  const spoken = ask(server, { ...once, timeouts: { betweenChunksMs: 30 } })
  await expect(spoken).rejects.toMatchObject({ code: 'model_timeout', spent: estimate('four') })
  const mute = ask(server, { ...once, timeouts: { firstByteMs: 500 } })
  await expect(mute).rejects.toMatchObject({ code: 'model_timeout', spent: estimate('') })
})

test.each<[string, Answer, object]>([
  ['an end without output', stream(DONE), estimate('')],
  ['an error after output', stream(chunk({ content: 'four' }), event({ error: { code: 500 } })), estimate('four')],
  [
    'an error that stays after output',
    stream(chunk({ content: 'four' }), event({ error: { type: 'invalid_request_error' } })),
    estimate('four'),
  ],
])('%s has cost something', async (_what, answer, spent) => {
  server.script(answer)
  await expect(ask(server, once)).rejects.toMatchObject({ spent })
})

test.each<[string, Answer]>([
  ['an overload', refuse(429)],
  ['an error', refuse(500)],
  ['a bad request', refuse(400)],
  ['a cut without an answer', cutAtOnce()],
  ['an error event before any output', stream(chunk({ role: 'assistant' }), event({ error: { code: 500 } }))],
  ['a web page', refuse(200, '<html></html>', { 'content-type': 'text/html' })],
])('%s has cost nothing', async (_what, answer) => {
  server.script(answer)
  await expect(ask(server, once)).rejects.toMatchObject({ spent: undefined })
})

test('silence without an answer has cost nothing', async () => {
  server.script(() => undefined)
  const mute = ask(server, { ...once, timeouts: { firstByteMs: 30 } })
  await expect(mute).rejects.toMatchObject({ code: 'model_timeout', spent: undefined })
})

test('an error keeps all that it says when the cost of attempts before it is added', async () => {
  const four = stream(chunk({ content: 'four' }), CUT)
  server.script(four, refuse(429, {}, { 'retry-after': '60' }))
  const spent = estimate('four')
  await expect(ask(server)).rejects.toMatchObject({ code: 'model_rate_limited', retryAfterMs: 60_000, spent })

  const content_filter_result = { violence: { filtered: true, severity: 'high' } }
  server.script(four, refuse(400, { error: { code: 'content_filter', innererror: { content_filter_result } } }))
  await expect(ask(server)).rejects.toMatchObject({
    code: 'model_content_filter',
    hint: expect.stringContaining('OPENAI_MODEL') as string,
    contentFilter: ['violence (high)'],
    spent,
  })
})

test("an abort's reason stays what it is", async () => {
  const abort = new AbortController()
  const reason = new Error('the mission was cancelled')
  server.script(stream(chunk({ content: 'four' }), CUT), () => abort.abort(reason))
  await expect(ask(server, { signal: abort.signal })).rejects.toBe(reason)
})
