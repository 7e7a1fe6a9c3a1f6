import http, {
  type ClientRequest,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type ServerResponse,
} from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { answer } from './http-answer.ts'
import type { InvocationRequest } from './protocol.ts'
import { settledWithin } from './settled-within.ts'
import type { Supervisor } from './supervisor.ts'
import { FunctionFailedError, type StartedWorker } from './worker-process.ts'

/** After the handler's end its answer is on its way over another channel; on loopback it arrives within milliseconds. */
const lateAnswerMs = 1000

const workerEndMs = 500

const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

type Exchange = {
  request: IncomingMessage
  response: ServerResponse
  worker: StartedWorker
  supervisor: Supervisor
  maxBodyBytes: number
}

/**
 * Sends the request to the library's streaming proxy in the worker and the invocation over IPC at the same time; the library joins them
 * by `x-ms-invocation-id`. Nothing is buffered in either direction. Where the real host leaves a client waiting (a handler that throws or
 * answers nothing, nodejs-library#324), this one answers 500 and says so.
 */
export async function streamThroughWorker(
  exchange: Exchange,
  invocation: InvocationRequest,
  port: number,
): Promise<void> {
  const { request, response, worker, supervisor } = exchange
  const upstream = http.request({
    host: '127.0.0.1',
    port,
    method: request.method,
    path: request.url,
    headers: forwardedHeaders(request, invocation.invocationId),
    agent: false,
  })
  let answered = false
  upstream.on('response', (incoming) => {
    answered = true
    forwardAnswer(exchange, upstream, incoming)
  })
  upstream.on('error', (error) => {
    if (!answered) void answerLost(exchange, error)
  })
  response.on('close', () => upstream.destroy())
  forwardBody(exchange, upstream)
  try {
    await supervisor.invoke(invocation, worker)
    if (!response.headersSent) await sleep(lateAnswerMs)
    if (!response.headersSent && !response.destroyed) {
      answer(
        response,
        500,
        `The function '${invocation.functionId}' returned nothing. On Azure its client would wait for 230 s.`,
      )
    }
  } catch (error) {
    if (!response.writableEnded && !response.destroyed) answer(response, ...failureAnswer(invocation, error as Error))
    upstream.destroy()
  }
}

/** The connection breaks some milliseconds before the process is known to have ended: without the wait the next request meets it too. */
async function answerLost({ response, worker }: Exchange, error: Error): Promise<void> {
  if (response.destroyed || response.writableEnded) return
  await settledWithin(worker.ended, workerEndMs)
  if (response.destroyed || response.writableEnded) return
  answer(response, 502, `The worker ended or dropped the request before it answered (${error.message}). Try again.`)
}

function failureAnswer(invocation: InvocationRequest, error: Error): [number, string] {
  if (!(error instanceof FunctionFailedError)) return [502, `${error.message} Try again.`]
  const message = `The function '${invocation.functionId}' threw: ${error.message} On Azure its client would wait for 230 s.`
  return [500, message]
}

function forwardedHeaders(request: IncomingMessage, invocationId: string): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = {}
  for (const [name, value] of Object.entries(request.headers)) {
    if (!hopByHop.has(name) && name !== 'expect') headers[name] = value
  }
  headers['x-ms-invocation-id'] = invocationId
  headers['x-forwarded-host'] = request.headers.host
  headers['x-forwarded-proto'] = 'http'
  // Kept alive although used once: a worker that answers before it has read the body would otherwise reset the connection.
  headers.connection = 'keep-alive'
  if (request.headers['transfer-encoding']) headers['transfer-encoding'] = 'chunked'
  return headers
}

function forwardBody({ request, response, maxBodyBytes }: Exchange, upstream: ClientRequest): void {
  let bytes = 0
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes <= maxBodyBytes || response.destroyed) return
    answer(response, 413, `The request's body is larger than the ${maxBodyBytes} bytes that the platform takes.`)
    upstream.destroy()
  })
  // A client that goes away in the middle of its body must not leave the handler with a body that looks whole.
  request.on('aborted', () => upstream.destroy())
  request.pipe(upstream)
}

function forwardAnswer({ request, response }: Exchange, upstream: ClientRequest, incoming: IncomingMessage): void {
  if (response.headersSent || response.destroyed) {
    upstream.destroy()
    return
  }
  const headers = Object.entries(incoming.headers).filter(([name]) => !hopByHop.has(name))
  response.writeHead(incoming.statusCode ?? 502, Object.fromEntries(headers))
  response.flushHeaders()
  incoming.pipe(response)
  incoming.on('error', () => response.destroy())
  incoming.on('end', () => {
    // The rest of a body that the app did not want is read and dropped, so that the client sees the answer.
    request.unpipe(upstream)
    request.resume()
  })
}
