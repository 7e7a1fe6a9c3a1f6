import { once } from 'node:events'
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What a request gets in place of the storage's own answer. */
export type Fault =
  | { status: number; code?: string; headers?: Record<string, string>; body?: string }
  /** The storage's answer, cut off after so many bytes of its body (0: before its head): by a reset, or by saying it had no more. */
  | { cutAfter: number; how: 'reset' | 'early end' }
  /** No answer at all. */
  | 'deaf'

export interface FaultyStorage {
  /** Decides on each request; undefined: it goes to the storage. */
  fault: (method: string, url: URL) => Fault | undefined
  /** Of all requests, in order. */
  seen: { method: string; url: URL; range: string | undefined }[]
  /** The connection string, by way of this. */
  connectionString: string
  origin: string
  stop(): Promise<void>
}

/** Stands before Azurite and answers what a test wants some requests to be answered. */
export async function startFaultyStorage(connectionString: string): Promise<FaultyStorage> {
  const endpoint = /BlobEndpoint=(http:\/\/127\.0\.0\.1:(\d+))/.exec(connectionString)
  const port = Number(endpoint?.[2])
  const server = createServer((incoming, outgoing) => {
    const url = new URL(incoming.url ?? '', 'http://storage')
    const method = incoming.method ?? ''
    storage.seen.push({ method, url, range: (incoming.headers['x-ms-range'] ?? incoming.headers.range)?.toString() })
    const fault = storage.fault(method, url)
    if (fault === 'deaf') return
    if (fault !== undefined && 'status' in fault) {
      incoming.resume().on('end', () => answer(outgoing, method, fault))
      return
    }
    forward(incoming, outgoing, port, fault)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const storage: FaultyStorage = {
    fault: () => undefined,
    seen: [],
    origin,
    connectionString: connectionString.replace(endpoint?.[1] ?? '', origin),
    async stop() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
  return storage
}

function answer(
  outgoing: ServerResponse,
  method: string,
  { status, code = '', headers, body }: Extract<Fault, { status: number }>,
): void {
  const text = body ?? (code ? `<?xml version="1.0"?><Error><Code>${code}</Code><Message>no</Message></Error>` : '')
  const type: Record<string, string> = text ? { 'content-type': 'application/xml' } : {}
  outgoing.writeHead(status, { ...type, ...(code ? { 'x-ms-error-code': code } : {}), ...headers })
  outgoing.end(method === 'HEAD' ? undefined : text)
}

function forward(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  port: number,
  cut: Extract<Fault, { cutAfter: number }> | undefined,
): void {
  const { method, url: path, headers } = incoming
  const upstream = request({ host: '127.0.0.1', port, method, path, headers }, (response) => {
    if (cut?.cutAfter === 0) {
      outgoing.destroy()
      return
    }
    const shown = { ...response.headers }
    if (cut?.how === 'early end') shown['content-length'] = String(cut.cutAfter)
    outgoing.writeHead(response.statusCode ?? 502, shown)
    let sent = 0
    response.on('data', (chunk: Buffer) => {
      const part = cut === undefined ? chunk : chunk.subarray(0, Math.max(0, cut.cutAfter - sent))
      sent += part.length
      outgoing.write(part, () => {
        if (sent === cut?.cutAfter && cut.how === 'reset') outgoing.destroy()
      })
    })
    response.on('end', () => outgoing.end())
    response.on('error', () => outgoing.destroy())
  })
  upstream.on('error', () => outgoing.destroy())
  outgoing.on('close', () => upstream.destroy())
  incoming.pipe(upstream)
}
