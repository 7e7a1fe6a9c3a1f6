import { mkdir } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { Client } from 'pg'
import { TerminalError } from '../../domain/errors.ts'
import { freePort } from '../processes/free-port.ts'
import { type GuardedProcess, spawnGuarded } from '../processes/spawn-guarded.ts'
import { type Account, chooseAccount, postgresCommand } from './account.ts'
import { findBinaries } from './binaries.ts'
import { ensureCluster } from './create-cluster.ts'
import { postgresFailure } from './failures.ts'
import { clearLeftovers } from './leftovers.ts'

export type PostgresOptions = {
  /** Holds the cluster; its password lies beside it in `<dataDir>.password`. */
  dataDir: string
  /** A free one by default. */
  port?: number
  log?: (line: string) => void
  /** Server settings such as `{ max_connections: '20' }`. */
  settings?: Record<string, string>
  /**
   * False for tests: a crash of the machine may lose the cluster, and a crash of Postgres the commits of its last
   * 0.6 s (three times `wal_writer_delay`), unless `settings` turn `synchronous_commit` on.
   */
  durable?: boolean
  /** Where the npm package with the binaries is; found by itself by default. */
  packageDir?: string
  /** False takes the other way of running as root even where user namespaces work. */
  userNamespaces?: boolean
}

export type LocalPostgres = {
  port: number
  pid: number
  /** `postgres://postgres:…@127.0.0.1:<port>/postgres`, a superuser. */
  superUrl: string
  exited: GuardedProcess['exited']
  /** Fast shutdown: sessions are cut, everything is written, the next start needs no recovery. */
  stop: () => Promise<void>
  /** SIGKILL of the postmaster, for crash tests; the next start recovers. */
  kill: () => Promise<void>
}

type Launch = {
  account: Account
  port: number
  password: string
  options: PostgresOptions
  log: (line: string) => void
}

/** Recovery after a crash replays at most `max_wal_size` (1 GB), seconds on a slow disk. */
const READY_WITHIN_MS = 120_000
const BACKENDS_END_WITHIN_MS = 10_000
const NOT_DURABLE = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }

/**
 * A real Postgres 17 of this process's own on 127.0.0.1, ended with this process. Makes the data folder where there is
 * none and resolves when it accepts connections. Throws TerminalError with one sentence that says what to do.
 */
export async function startPostgres(options: PostgresOptions): Promise<LocalPostgres> {
  const log = options.log ?? (() => undefined)
  const dataDir = resolve(options.dataDir)
  await mkdir(dirname(dataDir), { recursive: true })
  const binaries = await findBinaries(options.packageDir)
  const account = await chooseAccount({ binaries, dataDir, log, userNamespaces: options.userNamespaces })
  await clearLeftovers(account.clusterDir, log)
  const password = await ensureCluster({ account, dataDir, durable: options.durable ?? true, log })
  const deadline = Date.now() + BACKENDS_END_WITHIN_MS
  for (let attempt = 1; ; attempt++) {
    const port = options.port ?? (await freePort())
    try {
      return await launch({ account, port, password, options, log })
    } catch (error) {
      const code = error instanceof TerminalError ? error.code : ''
      const portLost = code === 'postgres_port_in_use' && options.port === undefined && attempt < 5
      // Backends of a postmaster that got SIGKILL end by themselves, a busy one at its next wait.
      const backendsEnding = code === 'postgres_backends_left' && Date.now() < deadline
      if (!portLost && !backendsEnding) throw error
      await new Promise((wake) => setTimeout(wake, 100))
    }
  }
}

async function launch({ account, port, password, options, log }: Launch): Promise<LocalPostgres> {
  const output: string[] = []
  const settings = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: '',
    // Beside the data: in /dev/shm, a server that got SIGKILL leaves its segments behind for good.
    dynamic_shared_memory_type: 'mmap',
    max_connections: '100',
    timezone: 'UTC',
    log_timezone: 'UTC',
    ...(options.durable === false ? NOT_DURABLE : {}),
    ...options.settings,
  }
  const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const server = await spawnGuarded({
    ...postgresCommand(account, account.binaries.postgres, ['-D', account.clusterDir, ...args]),
    stopSignal: 'SIGINT',
    log: (line) => {
      output.push(line)
      if (output.length > 50) output.shift()
      log(line)
    },
  })
  const superUrl = `postgres://postgres:${password}@127.0.0.1:${port}/postgres`
  const ended = server.exited.then(() => {
    throw postgresFailure({ doing: 'start', dataDir: account.clusterDir, port, output })
  })
  await Promise.race([ended, acceptsConnections(superUrl, ended)]).catch(async (error: unknown) => {
    await server.stop()
    throw error
  })
  const { pid, exited, stop, kill } = server
  return { port, pid, superUrl, exited, stop, kill }
}

async function acceptsConnections(url: string, ended: Promise<never>) {
  const end = new AbortController()
  ended.catch(() => end.abort())
  const deadline = Date.now() + READY_WITHIN_MS
  while (!end.signal.aborted) {
    const client = new Client({ connectionString: url, connectionTimeoutMillis: 5000 })
    client.on('error', () => undefined)
    try {
      await client.connect()
      return
    } catch (error) {
      if (Date.now() > deadline || (error as { code?: string }).code === '28P01') throw error
      await new Promise((wake) => setTimeout(wake, 30))
    } finally {
      await client.end().catch(() => undefined)
    }
  }
}
