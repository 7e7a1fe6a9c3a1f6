import pg from 'pg'

declare const tenantTx: unique symbol
declare const ownerTx: unique symbol
declare const engineDb: unique symbol
declare const readerSession: unique symbol

/** A transaction in which row-level security lets one tenant's rows through. Made by `inTenant` alone. */
export type TenantTx = pg.ClientBase & { readonly [tenantTx]: true }

/** A transaction of a member of `taskforce_owner`, which sees all tenants' rows: a restore's, and nobody else's. */
export type OwnerTx = pg.ClientBase & { readonly [ownerTx]: true }

/** A session that sees all tenants' rows and may write none. Made by `asReader` alone. */
export type ReaderSession = pg.ClientBase & { readonly [readerSession]: true }

/** Where the engine's statements run: each by itself, over all tenants, never inside a transaction that spans a model call. */
export type EngineDb = pg.Pool & { readonly [engineDb]: true }

export interface Databases {
  api: pg.Pool
  engine: EngineDb
  close(): Promise<void>
}

export interface ConnectionSettings {
  url: string
  /** Through PgBouncer in transaction mode: no named statements, no start-up parameters. */
  pooler: 'transaction' | undefined
  /** Gives the password of each new connection (Entra ID tokens); absent: the one in the URL. */
  password?: () => Promise<string>
  onError(error: Error): void
}

/**
 * A flush carries the steps of many missions, and none of them is to wait for another's row longer than this: the statement
 * then fails, and each goes by itself. Changes from outside hold a row for a few milliseconds.
 */
const ENGINE_LOCK_MS = 1_000
/** A request that waits longer for somebody's row has better be sent again. */
const API_LOCK_MS = 5_000

/**
 * Opens nothing yet: connections are made on first use. An instance keeps at most 4 for the API and 2 for the engine;
 * bicep/connections.bicep adds them up over all instances, and refuses a server that has fewer.
 */
export function createDatabases(settings: ConnectionSettings): Databases {
  const api = createPool(settings, { name: 'taskforce-api', max: 4, lockMs: API_LOCK_MS, role: 'taskforce_api' })
  const engine = createPool(settings, { name: 'taskforce-engine', max: 2, lockMs: ENGINE_LOCK_MS }) as EngineDb
  return {
    api,
    engine,
    close: async () => void (await Promise.all([api.end(), engine.end()])),
  }
}

/**
 * Asks for the password at each connection where a function gives it. `pg` alone forgets the function where there is an address:
 * the empty password of the address wins.
 */
export class SignedClient extends pg.Client {
  constructor(config?: pg.ClientConfig) {
    super(config)
    if (typeof config?.password === 'function') Object.assign(this, { password: config.password })
  }
}

/**
 * Leaves out the names of statements: behind PgBouncer in transaction mode the next statement may reach another server
 * connection, which does not know the name, or knows it already.
 */
class UnnamedClient extends SignedClient {
  constructor(config?: pg.ClientConfig) {
    super(config)
    const send = this.query.bind(this) as (...args: unknown[]) => unknown
    this.query = ((query: unknown, ...rest: unknown[]) => send(withoutName(query), ...rest)) as typeof this.query
  }
}

function withoutName(query: unknown): unknown {
  return typeof query === 'object' && query !== null && 'name' in query ? { ...query, name: undefined } : query
}

interface PoolSettings {
  name: string
  max: number
  lockMs: number
  /**
   * What direct connections are from their start: nothing on them ever has the login's rights. Their statements may be sent
   * without waiting for each other's results.
   */
  role?: string
}

function createPool(settings: ConnectionSettings, { name, max, lockMs, role }: PoolSettings): pg.Pool {
  const { url, pooler, password, onError } = settings
  const pool = new pg.Pool({
    connectionString: normaliseUrl(url),
    ...(password === undefined ? {} : { password }),
    max,
    connectionTimeoutMillis: 10_000,
    idleTimeoutMillis: 30_000,
    maxLifetimeSeconds: 1_800,
    keepAlive: true,
    allowExitOnIdle: true,
    query_timeout: 30_000,
    application_name: name,
    Client: SignedClient,
    // Sent as start-up parameters, which PgBouncer refuses in transaction mode.
    ...(pooler === 'transaction'
      ? { Client: UnnamedClient }
      : {
          statement_timeout: 30_000,
          idle_in_transaction_session_timeout: 15_000,
          lock_timeout: lockMs,
          // Options of the URL would win over these, and the connection would start as the login.
          ...(role === undefined || /[?&]options=/.test(url) ? {} : { pipeline: true, options: `-c role=${role}` }),
        }),
  })
  // Without a listener an error on an idle connection ends the worker and every mission in it.
  pool.on('error', onError)
  // The pool stops listening before whoever waits for a connection can begin to: a server that ends it in the packet that
  // says that it is ready did the same.
  pool.on('connect', (client) => client.on('error', () => undefined))
  return pool
}

/** The seed's SQLAlchemy form (`postgresql+asyncpg://`) means the same server. */
export function normaliseUrl(url: string): string {
  return url.replace(/^postgres(ql)?\+\w+:\/\//, 'postgresql://')
}
