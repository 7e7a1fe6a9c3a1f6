import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Resets the connection. */
export const CUT = Symbol('cut')
/** Sends nothing more and keeps the connection open. */
export const HANG = Symbol('hang')

/** What a scripted stream does next: an object is a `data:` event, text and bytes go out as they are. */
export type Step = object | string | Buffer | typeof CUT | typeof HANG

export type Answer = (response: ServerResponse) => void | Promise<void>

export interface ReceivedRequest {
  path: string
  headers: IncomingHttpHeaders
  body: Record<string, unknown>
}

export interface ChatServer {
  /** For OPENAI_BASE_URL. */
  url: string
  /** Since the last call of `script`. */
  requests: ReceivedRequest[]
  /** The answers to the next requests, in order; more requests than answers get 418. */
  script(...answers: Answer[]): void
  stop(): Promise<void>
}

/** A Chat Completions server on 127.0.0.1 that answers as it is told. */
export async function startChatServer(): Promise<ChatServer> {
  const requests: ReceivedRequest[] = []
  const answers: Answer[] = []
  const server = createServer((request, response) => {
    void receive(request).then((received) => {
      requests.push(received)
      const answer = answers.shift() ?? refuse(418, { error: { message: 'no answer is scripted' } })
      return answer(response)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    requests,
    script(...next) {
      requests.length = 0
      answers.splice(0, answers.length, ...next)
    },
    async stop() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

/** An answer with a status, a JSON or text body, and headers. */
export function refuse(status: number, body: object | string = {}, headers: Record<string, string> = {}): Answer {
  return (response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers })
    response.end(typeof body === 'string' ? body : JSON.stringify(body))
  }
}

/** A 200 with an event stream that takes these steps and then ends. `[DONE]` is a step like any other. */
export function stream(...steps: Step[]): Answer {
  return async (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.flushHeaders()
    for (const step of steps) {
      if (step === HANG) return
      if (step === CUT) {
        response.socket?.resetAndDestroy()
        return
      }
      await write(response, typeof step === 'string' || Buffer.isBuffer(step) ? step : event(step))
    }
    response.end()
  }
}

/** An answer that begins with the first text, and repeats the second until the client closes the connection. */
export function endless(first: string, repeated: string, status = 200): { answer: Answer; closed: Promise<void> } {
  const { promise: closed, resolve } = Promise.withResolvers<void>()
  const answer: Answer = async (response) => {
    response.on('close', resolve)
    response.writeHead(status, { 'content-type': 'text/event-stream' }).write(first)
    while (!response.destroyed) {
      if (!response.write(repeated)) await Promise.race([once(response, 'drain'), closed])
    }
  }
  return { answer, closed }
}

/** Resets the connection without any answer. */
export function cutAtOnce(): Answer {
  return (response) => void response.socket?.resetAndDestroy()
}

/** One event of a stream as its text. */
export function event(data: object): string {
  return `data: ${JSON.stringify(data)}\n\n`
}

/** A chunk with one choice. */
export function chunk(delta: object, finishReason: string | null = null): object {
  return { model: 'served-model', choices: [{ index: 0, delta, finish_reason: finishReason }] }
}

/** A chunk with a piece of a tool call. */
export function callPiece(index: number, id: string | undefined, name: string | undefined, args: string): object {
  return chunk({ tool_calls: [{ index, id, function: { name, arguments: args } }] })
}

export function usage(input: number, output: number): object {
  return { model: 'served-model', choices: [], usage: { prompt_tokens: input, completion_tokens: output } }
}

export const DONE = 'data: [DONE]\n\n'

/** A plain good answer. */
export function text(content: string): Answer {
  return stream(chunk({ role: 'assistant', content }), chunk({}, 'stop'), usage(12, 3), DONE)
}

/** Waits until the bytes are with the system, so that a cut after it does not swallow them. */
async function write(response: ServerResponse, bytes: string | Buffer): Promise<void> {
  await new Promise<void>((resolve) => response.write(bytes, () => resolve()))
}

async function receive(request: IncomingMessage): Promise<ReceivedRequest> {
  const parts: Buffer[] = []
  for await (const part of request as AsyncIterable<Buffer>) parts.push(part)
  const body = JSON.parse(Buffer.concat(parts).toString('utf8') || '{}') as Record<string, unknown>
  return { path: request.url ?? '', headers: request.headers, body }
}
