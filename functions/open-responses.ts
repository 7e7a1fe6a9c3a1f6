import { subscribe } from 'node:diagnostics_channel'
import { IncomingMessage, ServerResponse } from 'node:http'
import { z } from 'zod'
import type { ApiRequest } from '../src/api/http.ts'

/** By invocation. The platform's library has an HTTP server of its own that the host passes requests on to. */
const open = new Map<string, ServerResponse>()

const startSchema = z.object({ request: z.instanceof(IncomingMessage), response: z.instanceof(ServerResponse) })

// The library reads a stream to its end whatever its client does, and gives the response to nobody (nodejs-library#294);
// Node tells of every response of the process. What is thrown in here would end the process.
subscribe('http.server.request.start', (message) => {
  const started = startSchema.safeParse(message)
  if (started.success) keep(started.data.request, started.data.response)
})

/** Requests without the header are those of another server. */
function keep({ headers }: IncomingMessage, response: ServerResponse): void {
  const id = headers['x-ms-invocation-id']
  if (typeof id !== 'string') return
  open.set(id, response)
  response.once('close', () => {
    if (open.get(id) === response) open.delete(id)
  })
}

/** How an invocation's client gets on with its response; empty on a host that does not let it be known. */
export function clientOf(invocationId: string): Pick<ApiRequest, 'unread' | 'onClose'> {
  const response = open.get(invocationId)
  if (response === undefined) return {}
  return {
    unread: () => response.writableLength,
    onClose: (listener) => {
      if (response.closed) listener()
      else response.once('close', listener)
    },
  }
}
