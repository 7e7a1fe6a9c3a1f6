import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { answer } from './http-answer.ts'
import { bufferThroughWorker } from './http-buffered.ts'
import { httpMetadata, splitTarget } from './http-metadata.ts'
import { streamThroughWorker } from './http-stream.ts'
import type { HttpFunction } from './index-functions.ts'
import { refuseForeign } from './local-only.ts'
import type { InvocationRequest } from './protocol.ts'
import { settledWithin } from './settled-within.ts'
import type { Supervisor } from './supervisor.ts'
import { traceContext } from './trace-context.ts'
import type { StartedWorker } from './worker-process.ts'

export type HttpContext = {
  functions: HttpFunction[]
  supervisor: Supervisor
  maxBodyBytes: number
  /** The platform's load balancer ends every exchange after 230 s. */
  responseTimeoutMs: number
  /** How long a request waits for a worker that is being restarted. */
  workerWaitMs: number
  signal: AbortSignal
}

type Route = { target: HttpFunction; values: Record<string, string>; query: URLSearchParams }

export type HttpListener = {
  port: number
  /** Settles when no answer is under way any more, or after `ms`. */
  idle: (ms: number) => Promise<void>
  /** Cuts what is left. */
  close: () => Promise<void>
}

/** Listens on the given loopback address. Throws one sentence that says what to do when the port is taken. */
export async function listenHttp(context: HttpContext, hostname: string, port: number): Promise<HttpListener> {
  const underWay = new Set<Promise<void>>()
  const server = createServer((request, response) => {
    // A client that drops its connection is its own business.
    request.on('error', () => {})
    response.on('error', () => {})
    const closed = new Promise<void>((resolve) => response.once('close', resolve))
    underWay.add(closed)
    void closed.finally(() => underWay.delete(closed))
    void serve(context, portOf(server), request, response)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(error.code === 'EADDRINUSE' ? portInUse(port, error) : error),
    )
    server.listen(port, hostname, resolve)
  })
  return {
    port: portOf(server),
    idle: async (ms) => void (await settledWithin(Promise.all(underWay), ms)),
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      await closed
    },
  }
}

function portOf(server: Server): number {
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

function portInUse(port: number, cause: Error): Error {
  const message = `Port ${port} is already in use, so the local host can't listen. Stop what uses it or choose another port.`
  return new Error(message, { cause })
}

async function serve(
  context: HttpContext,
  port: number,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    const refusal = refuseForeign(request, port)
    if (refusal) return answer(response, refusal.status, refusal.message)
    if (context.signal.aborted) return answer(response, 503, 'The local host is stopping.')
    const route = findRoute(context.functions, request)
    if (!route) return notFound(request, response)
    if (Number(request.headers['content-length'] ?? 0) > context.maxBodyBytes) {
      return answer(
        response,
        413,
        `The request's body is larger than the ${context.maxBodyBytes} bytes that the platform takes.`,
      )
    }
    const worker = await context.supervisor.current(context.workerWaitMs).catch((error: Error) => error)
    if (worker instanceof Error) return answer(response, 503, `${worker.message} Try again in a moment.`)
    await limited(context, response, () => exchange(context, route, worker, request, response))
  } catch (error) {
    answer(response, 500, `The local host failed at this request: ${(error as Error).message}`)
  }
}

/** Path and method have to match; a path with another method only is a 404 too, as in the Functions host. */
function findRoute(functions: HttpFunction[], request: IncomingMessage): Route | null {
  const parts = splitTarget(request)
  if (!parts) return null
  for (const target of functions) {
    if (target.methods.length > 0 && !target.methods.includes(request.method ?? '')) continue
    const values = target.match(parts.path)
    if (values) return { target, values, query: parts.query }
  }
  return null
}

function notFound(request: IncomingMessage, response: ServerResponse): void {
  request.resume()
  response.writeHead(404, { 'content-length': 0 })
  response.end()
}

async function limited(context: HttpContext, response: ServerResponse, run: () => Promise<void>): Promise<void> {
  const { responseTimeoutMs } = context
  const end = () => answer(response, 504, `The answer took longer than the platform's ${responseTimeoutMs / 1000} s.`)
  const timer = setTimeout(end, responseTimeoutMs)
  response.once('close', () => clearTimeout(timer))
  await run()
}

function exchange(
  context: HttpContext,
  route: Route,
  worker: StartedWorker,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { target, values, query } = route
  const { supervisor, maxBodyBytes } = context
  const invocation: InvocationRequest = {
    invocationId: randomUUID(),
    functionId: target.functionName,
    inputData: [{ name: target.bindingName, data: { http: {} } }],
    triggerMetadata: httpMetadata(request, query, values),
    traceContext: traceContext(request.headers.traceparent, request.headers.tracestate),
  }
  const parts = { request, response, worker, supervisor, maxBodyBytes }
  return worker.httpPort === null
    ? bufferThroughWorker(parts, invocation, query, values)
    : streamThroughWorker(parts, invocation, worker.httpPort)
}
