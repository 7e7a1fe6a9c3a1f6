import type { ServerResponse } from 'node:http'

/**
 * Answers with one JSON sentence of the host itself. Where the app's own answer has begun already, the connection is cut instead, so
 * that the client can't take half of it for the whole.
 */
export function answer(response: ServerResponse, status: number, message: string): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  const body = JSON.stringify({ error: message })
  // The request's body may still be on its way; closing spares both sides the rest of it.
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    connection: 'close',
  })
  response.end(body)
}
