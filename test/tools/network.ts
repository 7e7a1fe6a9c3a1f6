import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { afterEach } from 'vitest'
import { buildConnector } from 'undici'
import type { EgressDependencies } from '../../src/tools/egress/exchange.ts'

const servers: Server[] = []

afterEach(async () => {
  for (const server of servers.splice(0)) await close(server)
})

async function close(server: Server): Promise<void> {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
}

export interface TestServer {
  port: number
  origin: string
  requests: IncomingMessage[]
  stop(): Promise<void>
}

/** A server on a free loopback port that notes what it was asked; ends with the test. */
export async function serve(listener: RequestListener): Promise<TestServer> {
  const requests: IncomingMessage[] = []
  const server = createServer((request, response) => {
    requests.push(request)
    listener(request, response)
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { port, origin: `http://127.0.0.1:${port}`, requests, stop: () => close(server) }
}

export function respond(
  body: string | Buffer,
  type = 'text/plain',
  headers: Record<string, string> = {},
): RequestListener {
  return (_request, response) => response.writeHead(200, { 'content-type': type, ...headers }).end(body)
}

export function redirect(location: string, status = 302): RequestListener {
  return (_request, response) => response.writeHead(status, { location }).end()
}

/** The real connector, but only to 127.0.0.1: a broken guard must not let a test out of this machine. */
export function loopbackOnly(
  lookup: Parameters<NonNullable<EgressDependencies['connect']>>[0],
): buildConnector.connector {
  const real = buildConnector({ lookup })
  return (options, callback) => {
    if (options.hostname === '127.0.0.1') real(options, callback)
    else callback(new Error(`the test tried to connect to ${options.hostname}`), null)
  }
}

/** Names with addresses from a table; each connection goes to loopback instead, and what it would have been is noted. */
export function fakeNetwork(port: number, answers: Record<string, string[][]>) {
  const lookups: string[] = []
  const connections: string[] = []
  const dependencies: EgressDependencies = {
    resolve(hostname) {
      lookups.push(hostname)
      const rounds = answers[hostname] ?? []
      const addresses = (rounds.length > 1 ? rounds.shift() : rounds[0]) ?? []
      return Promise.resolve(addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })))
    },
    connect: (lookup) => (options, callback) => {
      lookup(options.hostname, { all: true }, (error, addresses) => {
        if (error) return callback(error, null)
        connections.push(
          [addresses]
            .flat()
            .map((entry) => (typeof entry === 'string' ? entry : entry.address))
            .join(','),
        )
        const socket = connect(port, '127.0.0.1', () => callback(null, socket))
        return undefined
      })
    },
  }
  return { dependencies, lookups, connections }
}

/** Names that refuse an address of their own; the second of two answers is what a rebinding attack counts on. */
export const REFUSED_NAMES: [what: string, addresses: string[]][] = [
  ['loopback', ['127.0.0.1']],
  ['a private network', ['10.1.2.3']],
  ['carrier-grade NAT', ['100.64.0.1']],
  ['metadata', ['169.254.169.254']],
  ["Azure's wire server", ['168.63.129.16']],
  ['mapped loopback', ['::ffff:127.0.0.1']],
  ['NAT64 of loopback', ['64:ff9b::7f00:1']],
  ['a public and then a private address', ['93.184.216.34', '192.168.1.1']],
  ['a private and then a public address', ['192.168.1.1', '93.184.216.34']],
  ['a public and an IPv6 local address', ['93.184.216.34', 'fd00::1']],
]
