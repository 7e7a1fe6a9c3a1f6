import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { chatRequestSchema } from './chat-request.ts'
import type { ChatRequest } from './chat-request.ts'
import { toChunks, toCompletion, toWhole } from './completion.ts'
import type { Completion } from './completion.ts'
import { readConversation } from './conversation.ts'
import { decideReply } from './decide-reply.ts'

export interface DemoModelOptions {
  /** A free port by default. */
  port?: number
  /** Milliseconds that a turn takes, first piece to last. */
  delayMs: number
  log?: (line: string) => void
}

export interface DemoModelServer {
  /** To be used as OPENAI_BASE_URL; ends in `/v1`. */
  url: string
  stop(): Promise<void>
}

/** Far above any conversation: files stay in the workspace and never go to a model whole. */
const MAX_BODY_BYTES = 64 * 1024 * 1024

/**
 * Starts the scripted model that answers where no key is set, on 127.0.0.1 and over the Chat Completions protocol, so
 * that the client in front of it is the real one. Rejects with the system's error when the port is taken.
 */
export async function startDemoModel(options: DemoModelOptions): Promise<DemoModelServer> {
  const server = createServer((request, response) => {
    handle(request, response, options).catch((error: unknown) => {
      // A client that has gone is no news; anything else is a defect of ours.
      if (!response.destroyed) options.log?.(`demo model: request failed: ${String(error)}`)
      response.destroy()
    })
  })
  server.listen(options.port ?? 0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/v1`,
    async stop() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

async function handle(request: IncomingMessage, response: ServerResponse, options: DemoModelOptions): Promise<void> {
  const route = `${request.method} ${new URL(request.url ?? '/', 'http://127.0.0.1').pathname}`
  if (route === 'GET /v1/models') {
    const model = { id: 'demo', object: 'model', created: 0, owned_by: 'taskforce' }
    return sendJson(response, 200, { object: 'list', data: [model] })
  }
  if (route !== 'POST /v1/chat/completions') return refuse(response, 404, `The demo model has no ${route}.`)
  const body = await readBody(request)
  if (body === undefined) return refuse(response, 413, 'The request is larger than 64 MiB.')
  const parsed = chatRequestSchema.safeParse(body)
  if (!parsed.success) return refuse(response, 400, 'This is no Chat Completions request.')
  return answer(parsed.data, response, options)
}

async function answer(request: ChatRequest, response: ServerResponse, options: DemoModelOptions): Promise<void> {
  const reply = decideReply(readConversation(request))
  const completion = toCompletion(request, reply)
  const does = reply.calls.length > 0 ? `calls ${reply.calls.map((call) => call.name).join(', ')}` : 'answers'
  options.log?.(`demo model: ${request.messages.length} messages, ${does}`)
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  const wait = (parts: number) => pause(options.delayMs / parts, gone.signal)
  if (request.stream) return stream(completion, request, response, wait)
  await wait(1)
  return sendJson(response, 200, toWhole(completion))
}

/** `wait` waits for one of so many equal parts of the turn's time. */
async function stream(
  completion: Completion,
  request: ChatRequest,
  response: ServerResponse,
  wait: (parts: number) => Promise<void>,
): Promise<void> {
  const chunks = toChunks(completion, request.stream_options?.include_usage === true)
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' })
  response.flushHeaders()
  for (const chunk of chunks) {
    await wait(chunks.length)
    response.write(`data: ${JSON.stringify(chunk)}\n\n`)
  }
  response.end('data: [DONE]\n\n')
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (ms > 0) await delay(ms, undefined, { signal })
}

/** The parsed body, null where it is no JSON, undefined where it is too large. */
async function readBody(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length
    // Read to the end all the same: the client only listens once it has sent everything.
    if (bytes <= MAX_BODY_BYTES) parts.push(part)
  }
  if (bytes > MAX_BODY_BYTES) return undefined
  try {
    return JSON.parse(Buffer.concat(parts).toString('utf8'))
  } catch {
    return null
  }
}

function refuse(response: ServerResponse, status: number, message: string): void {
  sendJson(response, status, { error: { message, type: 'invalid_request_error', param: null, code: null } })
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify(body))
}
