import { createServer } from 'node:net'

/**
 * A TCP port of 127.0.0.1 that was free a moment ago: any, or `wanted`, which rejects where it is taken. Another program
 * may take it before the caller does: callers try again with the next one.
 */
export function freePort(wanted = 0): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen({ host: '127.0.0.1', port: wanted }, () => {
      const address = server.address()
      const port = typeof address === 'object' && address ? address.port : 0
      server.close(() => resolve(port))
    })
  })
}
