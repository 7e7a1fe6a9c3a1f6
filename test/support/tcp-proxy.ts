import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

type Cut = 'answer' | 'request'

export interface TcpProxy {
  /** The given URL, by way of the proxy. */
  url: string
  /**
   * Cuts the next connection that sends something that fits. `answer`: as soon as the server has answered, so that what was asked is
   * done and nobody learns of it. `request`: as soon as the server has the request, which it then works on by itself.
   */
  cut(what: Cut, fits: (request: Buffer) => boolean): Promise<void>
  stop(): Promise<void>
}

interface Order {
  what: Cut
  fits: (request: Buffer) => boolean
  done: () => void
}

/** Stands between a client and the server of a URL on 127.0.0.1, and breaks connections at exact moments. */
export async function startTcpProxy(target: string): Promise<TcpProxy> {
  const sockets = new Set<Socket>()
  let order: Order | undefined

  /** Gives the order that a request fulfils; each is fulfilled once. */
  function take(chunk: Buffer): Order | undefined {
    const fits = order?.fits(chunk) === true
    const taken = fits ? order : undefined
    if (fits) order = undefined
    return taken
  }

  const server = createServer((client) => {
    const upstream = connect(Number(new URL(target).port), '127.0.0.1')
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => undefined).on('close', () => sockets.delete(socket))
    }
    let cutting: Order | undefined
    client.on('data', (chunk) => {
      cutting ??= take(chunk)
      upstream.write(chunk, () => cutting?.what === 'request' && breakOff())
    })
    upstream.on('data', (chunk) => (cutting === undefined ? client.write(chunk) : breakOff()))
    client.on('close', () => cutting?.what !== 'request' && upstream.destroy())
    upstream.on('close', () => client.destroy())

    function breakOff(): void {
      client.resetAndDestroy()
      if (cutting?.what === 'answer') upstream.destroy()
      cutting?.done()
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = new URL(target)
  url.port = String((server.address() as AddressInfo).port)
  return {
    url: url.href,
    cut: (what, fits) => new Promise((done) => (order = { what, fits, done })),
    async stop() {
      server.close()
      for (const socket of sockets) socket.destroy()
      await once(server, 'close')
    },
  }
}
