import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import { Link, type Cut, type Cutting } from './link.ts'

/** How many of the connections something is done to: one, or all that there are. */
export type Which = 'one' | 'all'

/** Stands between some clients and a server on 127.0.0.1, and breaks their connections as told. */
export interface ChaosProxy {
  port: number
  /** The same URL by way of this proxy. */
  by(url: string): string
  /**
   * Cuts the next connection that sends one of these texts. False where none did in time, and no connection was cut.
   * @param texts such as names of statements
   */
  cut(what: Cut, texts: readonly string[], withinMs: number): Promise<boolean>
  /** Cuts connections by RST, whatever they do. Gives how many. */
  reset(which: Which): number
  /**
   * Lets nothing pass any more, in either direction, and closes nothing. With `all`, connections that are made meanwhile hang too.
   * @param forMs what was held back then goes on; absent: never, until `heal` cuts it
   */
  hang(which: Which, forMs?: number): number
  /** Everything takes so much longer each way, also on connections that are made meanwhile. */
  slowDown(ms: number, forMs: number): void
  /** All passes again, at once; what hangs for ever is cut. */
  heal(): void
  stop(): Promise<void>
}

interface Order extends Cutting {
  texts: readonly string[]
}

/** @param pick gives a whole number from 0 to below the given one */
export async function startChaosProxy(targetPort: number, pick: (below: number) => number): Promise<ChaosProxy> {
  const links = new Set<Link>()
  let order: Order | undefined
  let delayMs = 0
  let hangsUntil = -Infinity

  /** The order that a request fulfils; each is fulfilled once. */
  function take(request: Buffer): Order | undefined {
    const taken = order?.texts.some((text) => request.includes(text)) === true ? order : undefined
    if (taken !== undefined) order = undefined
    return taken
  }

  const server = createServer((client) => {
    const link = new Link(client, connect(targetPort, '127.0.0.1'), { take, delay: () => delayMs })
    links.add(link)
    client.on('close', () => links.delete(link))
    const left = hangsUntil - performance.now()
    if (left > 0) link.hang(Number.isFinite(left) ? left : undefined)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo

  function chosen(which: Which): Link[] {
    const all = [...links]
    const one = all[pick(Math.max(1, all.length))]
    return which === 'all' || one === undefined ? all : [one]
  }

  return {
    port,
    by: (url) => withPort(url, port),
    cut(what, texts, withinMs) {
      return new Promise((resolve) => {
        const mine: Order = { what, texts, done: () => resolve(true) }
        order = mine
        setTimeout(() => {
          if (order === mine) order = undefined
          resolve(false)
        }, withinMs)
      })
    },
    reset: (which) => chosen(which).map((link) => link.reset()).length,
    hang(which, forMs) {
      if (which === 'all') hangsUntil = performance.now() + (forMs ?? Infinity)
      return chosen(which).map((link) => link.hang(forMs)).length
    },
    slowDown(ms, forMs) {
      delayMs = ms
      setTimeout(() => (delayMs = 0), forMs).unref()
    },
    heal() {
      order = undefined
      delayMs = 0
      hangsUntil = -Infinity
      for (const link of links) link.heal()
    },
    async stop() {
      server.close()
      for (const link of links) link.reset()
      await once(server, 'close')
    },
  }
}

function withPort(text: string, port: number): string {
  const url = new URL(text)
  url.port = String(port)
  return url.href
}
