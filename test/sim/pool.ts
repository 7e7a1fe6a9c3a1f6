import type { Pool, PoolClient, QueryResult } from 'pg'
import type { EngineDb } from '../../src/db/connection.ts'
import type { Session, SimQuery } from './backend.ts'
import type { Actor } from './scheduler.ts'
import { SimConnection, type SimServer } from './server.ts'

/** As the real pools' (src/db/connection.ts). */
const MOST = { engine: 2, api: 4 }
const CONNECT_MS = 10_000

/** What stands in for a pool of the driver: as many connections, the same errors, the same order. */
class SimPool {
  readonly options = { pipeline: true }
  readonly #server: SimServer
  readonly #actor: Actor
  readonly #kind: Session['pool']
  readonly #idle: SimConnection[] = []
  readonly #waiting: ((connection: SimConnection) => void)[] = []
  #open = 0

  constructor(server: SimServer, actor: Actor, kind: Session['pool']) {
    this.#server = server
    this.#actor = actor
    this.#kind = kind
  }

  on(): this {
    return this
  }

  async query(query: SimQuery | string, values?: unknown[]): Promise<QueryResult> {
    const connection = await this.#take()
    try {
      return await connection.query(asQuery(query, values))
    } finally {
      this.#give(connection)
    }
  }

  async connect(): Promise<PoolClient> {
    const connection = await this.#take()
    const client = {
      query: (query: SimQuery | string, values?: unknown[]) => connection.query(asQuery(query, values)),
      on: () => client,
      off: () => client,
      release: (error?: Error) => {
        if (error !== undefined) connection.close()
        this.#give(connection)
      },
    }
    return client as unknown as PoolClient
  }

  /** The kernel closes what a dead process had open. */
  abandon(): void {
    for (const connection of this.#all) connection.close()
  }

  readonly #all = new Set<SimConnection>()

  #take(): Promise<SimConnection> {
    const idle = this.#idle.pop()
    if (idle !== undefined) return Promise.resolve(idle)
    if (this.#open < MOST[this.#kind]) {
      this.#open++
      return Promise.resolve(this.#connect())
    }
    const taken = Promise.withResolvers<SimConnection>()
    const timer = this.#server.scheduler.after(CONNECT_MS, this.#actor, () => {
      this.#waiting.splice(this.#waiting.indexOf(take), 1)
      taken.reject(new Error('timeout exceeded when trying to connect'))
    })
    const take = (connection: SimConnection) => {
      timer.cancelled = true
      taken.resolve(connection)
    }
    this.#waiting.push(take)
    return taken.promise
  }

  #connect(): SimConnection {
    const connection = new SimConnection(this.#server, this.#actor, { id: this.#server.sessions++, pool: this.#kind })
    this.#all.add(connection)
    return connection
  }

  #give(connection: SimConnection): void {
    if (connection.closed) this.#all.delete(connection)
    const usable = connection.closed ? undefined : connection
    const next = this.#waiting.shift()
    if (next !== undefined) return next(usable ?? this.#connect())
    if (usable !== undefined) this.#idle.push(usable)
    else this.#open--
  }
}

function asQuery(query: SimQuery | string, values?: unknown[]): SimQuery {
  const whole = typeof query === 'string' ? { text: query } : query
  return values === undefined ? whole : { ...whole, values }
}

export interface SimPools {
  engine: EngineDb
  api: Pool
  /** The process is gone, and its connections with it. */
  abandon(): void
}

export function simPools(server: SimServer, actor: Actor): SimPools {
  const engine = new SimPool(server, actor, 'engine')
  const api = new SimPool(server, actor, 'api')
  return {
    engine: engine as unknown as EngineDb,
    api: api as unknown as Pool,
    abandon: () => {
      engine.abandon()
      api.abandon()
    },
  }
}
