import type { Socket } from 'node:net'

/** `answer`: done by the server, and nobody learns of it. `request`: the server has it, and works on it by itself. */
export type Cut = 'answer' | 'request'

/** How a connection is to be cut. */
export interface Cutting {
  what: Cut
  done(): void
}

interface Outside {
  /** Whether the connection is to be cut because of this request. */
  take(request: Buffer): Cutting | undefined
  /** Milliseconds that a packet sent now takes longer. */
  delay(): number
}

interface Packet {
  to: Socket
  bytes: Buffer
  due: number
}

/** What a server of Postgres says last when a transaction is over, and a statement by itself is one: ReadyForQuery, idle. */
const IDLE = Buffer.from('Z\0\0\0\x05I', 'latin1')

/** One connection by way of the proxy: its client's side and its server's. */
export class Link {
  readonly #client: Socket
  readonly #server: Socket
  readonly #outside: Outside
  /** In the order of their times, and those of one direction in the order in which they came. */
  #onTheWay: Packet[] = []
  #timer: NodeJS.Timeout | undefined
  #cutting: Cutting | undefined
  #hangs: 'no' | 'for some time' | 'for ever' = 'no'
  #isBroken = false

  constructor(client: Socket, server: Socket, outside: Outside) {
    this.#client = client
    this.#server = server
    this.#outside = outside
    for (const socket of [client, server]) socket.setNoDelay(true).on('error', () => undefined)
    client.on('data', (bytes) => this.#fromClient(bytes))
    server.on('data', (bytes) => this.#fromServer(bytes))
    // Not destroyed: the server still does what it has been sent, as it would for a client that died.
    client.on('close', () => server.end())
    server.on('close', () => this.#hangs === 'no' && client.destroy())
  }

  /** RST to the client. */
  reset(): void {
    this.#break()
    this.#server.destroy()
  }

  /** Nothing passes and nothing is closed; what one side sends waits for the other. */
  hang(forMs?: number): void {
    if (this.#hangs === 'for ever') return
    this.#hangs = forMs === undefined ? 'for ever' : 'for some time'
    this.#client.pause()
    this.#server.pause()
    if (forMs !== undefined) setTimeout(() => this.#goOn(), forMs).unref()
  }

  heal(): void {
    if (this.#hangs === 'for ever') return this.reset()
    this.#goOn()
  }

  #goOn(): void {
    if (this.#hangs !== 'for some time') return
    this.#hangs = 'no'
    this.#client.resume()
    this.#server.resume()
    if (this.#server.destroyed) this.#client.destroy()
    this.#send()
  }

  #fromClient(bytes: Buffer): void {
    this.#cutting ??= this.#outside.take(bytes)
    if (this.#cutting?.what !== 'request') return this.#pass(this.#server, bytes)
    this.#server.write(bytes, () => this.#break())
    this.#cutting.done()
  }

  #fromServer(bytes: Buffer): void {
    if (this.#cutting === undefined) return this.#pass(this.#client, bytes)
    // Held back, so that the client sees nothing of an answer of several packets either.
    if (this.#cutting.what !== 'answer' || !bytes.subarray(-IDLE.length).equals(IDLE)) return
    this.#cutting.done()
    this.reset()
  }

  #pass(to: Socket, bytes: Buffer): void {
    const delay = this.#outside.delay()
    if (delay === 0 && this.#onTheWay.length === 0 && this.#hangs === 'no') return void to.write(bytes)
    const before = this.#onTheWay.at(-1)?.due ?? 0
    this.#onTheWay.push({ to, bytes, due: Math.max(before, performance.now() + delay) })
    this.#send()
  }

  #send(): void {
    clearTimeout(this.#timer)
    if (this.#hangs !== 'no') return
    const now = performance.now()
    while (this.#onTheWay[0] !== undefined && this.#onTheWay[0].due <= now) {
      const { to, bytes } = this.#onTheWay.shift() as Packet
      if (!to.destroyed) to.write(bytes)
    }
    const next = this.#onTheWay[0]
    if (next !== undefined) this.#timer = setTimeout(() => this.#send(), next.due - now)
  }

  #break(): void {
    if (this.#isBroken) return
    this.#isBroken = true
    clearTimeout(this.#timer)
    this.#onTheWay = []
    this.#client.resetAndDestroy()
  }
}
