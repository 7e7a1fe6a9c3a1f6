import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { answer } from './http-answer.ts'
import { headerDictionary, queryDictionary } from './http-metadata.ts'
import type { InvocationRequest, RpcCookie, RpcHttp } from './protocol.ts'
import type { Supervisor } from './supervisor.ts'
import { FunctionFailedError, type StartedWorker } from './worker-process.ts'

type Exchange = {
  request: IncomingMessage
  response: ServerResponse
  worker: StartedWorker
  supervisor: Supervisor
  maxBodyBytes: number
}

/**
 * The way of an app without `enableHttpStream`: the whole request goes over IPC and the whole answer comes back.
 * As on Azure, a chunked request arrives with an empty body.
 */
export async function bufferThroughWorker(
  exchange: Exchange,
  invocation: InvocationRequest,
  query: URLSearchParams,
  routeValues: Record<string, string>,
): Promise<void> {
  const { request, response, worker, supervisor } = exchange
  const body = await readBody(request)
  const data: RpcHttp = {
    method: request.method,
    url: `http://${request.headers.host}${request.url}`,
    headers: headerDictionary(request),
    query: queryDictionary(query),
    params: routeValues,
    body: body.length > 0 ? { bytes: body } : null,
  }
  const inputData = invocation.inputData.map((input) => ({ ...input, data: { http: data } }))
  try {
    const result = await supervisor.invoke({ ...invocation, inputData }, worker)
    writeAnswer(response, result?.http ?? { statusCode: '204' })
  } catch (error) {
    if (error instanceof FunctionFailedError)
      answer(response, 500, `The function '${invocation.functionId}' threw: ${error.message}`)
    else answer(response, 502, `${(error as Error).message} Try again.`)
  }
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  if (request.headers['content-length'] === undefined) {
    request.resume()
    return Buffer.alloc(0)
  }
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

function writeAnswer(response: ServerResponse, result: RpcHttp): void {
  const headers: OutgoingHttpHeaders = { ...result.headers }
  const cookies = (result.cookies ?? []).map(cookieText)
  if (cookies.length > 0) headers['set-cookie'] = cookies
  response.writeHead(Number(result.statusCode ?? 200), headers)
  response.end(result.body?.bytes ?? result.body?.string ?? '')
}

function cookieText(cookie: RpcCookie): string {
  const sameSite = { none: undefined, lax: 'lax', strict: 'strict', explicitNone: 'none' }[cookie.sameSite ?? 'none']
  const expires = cookie.expires?.value
  const parts = [
    `${encodeURIComponent(cookie.name)}=${encodeURIComponent(cookie.value)}`,
    expires && `expires=${new Date(expires.seconds * 1000).toUTCString()}`,
    cookie.maxAge?.value !== undefined && `max-age=${cookie.maxAge.value}`,
    cookie.domain?.value && `domain=${cookie.domain.value}`,
    cookie.path?.value && `path=${cookie.path.value}`,
    cookie.secure?.value && 'secure',
    sameSite && `samesite=${sameSite}`,
    cookie.httpOnly?.value && 'httponly',
  ]
  return parts.filter(Boolean).join('; ')
}
