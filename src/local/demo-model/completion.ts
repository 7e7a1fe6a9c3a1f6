import { randomUUID } from 'node:crypto'
import type { ChatRequest } from './chat-request.ts'
import type { Reply } from './goal.ts'

/** An answer of the server before it is written in one of the two forms of the wire. */
export interface Completion {
  id: string
  /** Seconds since 1970. */
  created: number
  text: string
  calls: { id: string; name: string; arguments: string }[]
  finishReason: 'stop' | 'tool_calls'
  usage: { prompt_tokens: number; completion_tokens: number; total_tokens: number }
}

/** More pieces would only make timers. */
const MOST_TEXT_PIECES = 20
const CHARACTERS_OF_ARGUMENTS = 24

export function toCompletion(request: ChatRequest, reply: Reply): Completion {
  const calls = reply.calls.map((call) => ({
    id: `call_${randomUUID().replaceAll('-', '').slice(0, 24)}`,
    name: call.name,
    arguments: JSON.stringify(call.arguments),
  }))
  const prompt = countTokens(JSON.stringify(request.messages) + JSON.stringify(request.tools))
  const output = countTokens(reply.text + calls.map((call) => call.name + call.arguments).join(''))
  return {
    id: `chatcmpl-demo-${randomUUID()}`,
    created: Math.floor(Date.now() / 1000),
    text: reply.text,
    calls,
    finishReason: calls.length > 0 ? 'tool_calls' : 'stop',
    usage: { prompt_tokens: prompt, completion_tokens: output, total_tokens: prompt + output },
  }
}

/** The unstreamed form. */
export function toWhole(completion: Completion): object {
  const { id, created, text, calls, finishReason, usage } = completion
  const toolCalls = calls.map((call) => ({ id: call.id, type: 'function', function: pick(call) }))
  const message = { role: 'assistant', content: text || null, ...(calls.length > 0 && { tool_calls: toolCalls }) }
  const choices = [{ index: 0, message, finish_reason: finishReason, logprobs: null }]
  return { id, object: 'chat.completion', created, model: 'demo', choices, usage }
}

/** The streamed form, cut as OpenAI cuts it: id and name with the first piece of a call, usage in a chunk without choices. */
export function toChunks(completion: Completion, includeUsage: boolean): object[] {
  const { id, created } = completion
  const head = { id, object: 'chat.completion.chunk', created, model: 'demo' }
  const deltas = [
    { role: 'assistant', content: '' },
    ...splitText(completion.text).map((content) => ({ content })),
    ...completion.calls.flatMap(callDeltas),
  ]
  const chunks: object[] = deltas.map((delta) => ({ ...head, choices: [choice(delta, null)] }))
  chunks.push({ ...head, choices: [choice({}, completion.finishReason)] })
  if (!includeUsage) return chunks
  return [...chunks.map((chunk) => ({ ...chunk, usage: null })), { ...head, choices: [], usage: completion.usage }]
}

function choice(delta: object, finishReason: string | null): object {
  return { index: 0, delta, logprobs: null, finish_reason: finishReason }
}

function callDeltas(call: Completion['calls'][number], index: number): object[] {
  const first = { index, id: call.id, type: 'function', function: { name: call.name, arguments: '' } }
  const pieces = call.arguments.match(new RegExp(`[^]{1,${CHARACTERS_OF_ARGUMENTS}}`, 'gu')) ?? []
  return [first, ...pieces.map((piece) => ({ index, function: { arguments: piece } }))].map((piece) => ({
    tool_calls: [piece],
  }))
}

function splitText(text: string): string[] {
  const words = text.match(/\S*\s*/g)?.filter(Boolean) ?? []
  const size = Math.ceil(words.length / MOST_TEXT_PIECES)
  return Array.from({ length: size === 0 ? 0 : Math.ceil(words.length / size) }, (_, piece) =>
    words.slice(piece * size, (piece + 1) * size).join(''),
  )
}

function pick({ name, arguments: text }: { name: string; arguments: string }): object {
  return { name, arguments: text }
}

function countTokens(text: string): number {
  return Math.ceil(text.length / 4)
}
