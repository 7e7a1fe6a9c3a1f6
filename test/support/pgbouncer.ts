import { execFileSync } from 'node:child_process'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chooseAccount, postgresCommand } from '../../src/local/postgres/account.ts'
import { findBinaries } from '../../src/local/postgres/binaries.ts'
import { freePort } from '../../src/local/processes/free-port.ts'
import { spawnGuarded, type GuardedProcess } from '../../src/local/processes/spawn-guarded.ts'
import { APP } from './global-setup.ts'
import { until } from './engine.ts'
import { withConnection } from './postgres.ts'

export interface PgBouncer {
  /** The given URL, by way of the pooler. */
  url: string
  /** SIGKILL, and a new one on the same port. */
  restart(): Promise<void>
  /** What it has logged, a line each. */
  log: string[]
  stop(): Promise<void>
}

export interface PgBouncerOptions {
  /** Lets start-up parameters pass without effect instead of refusing the connection, as some poolers do. */
  ignoreParameters?: boolean
}

/** From 1.21 on it can keep the names of statements apart by itself, unless it is told not to. */
const KEEPS_NAMES = 121

/** 118 for 1.18; undefined where the machine has none: a reason to leave the tests out, and to fail in CI. */
export function pgbouncerVersion(): number | undefined {
  try {
    const [, major, minor] =
      /(\d+)\.(\d+)/.exec(execFileSync('pgbouncer', ['--version'], { env: ENV }).toString()) ?? []
    return Number(major) * 100 + Number(minor)
  } catch (error) {
    if (process.env.CI) throw new Error('pgbouncer is missing; in CI: apt-get install -y pgbouncer', { cause: error })
    process.stderr.write('No pgbouncer on this machine (apt-get install pgbouncer): its tests are left out\n')
    return undefined
  }
}

/** Debian has it in /usr/sbin, which is not on every user's PATH. */
const ENV = { PATH: `${process.env.PATH}:/usr/sbin:/usr/local/sbin` }

/** PgBouncer in transaction mode on 127.0.0.1, with two server connections for all its clients. It refuses to run as root. */
export async function startPgBouncer(target: string, options: PgBouncerOptions = {}): Promise<PgBouncer> {
  const folder = await mkdtemp(join(tmpdir(), 'taskforce-pgbouncer-'))
  const log: string[] = []
  const binaries = await findBinaries()
  const account = await chooseAccount({ binaries, dataDir: join(folder, 'postgres'), log: (line) => log.push(line) })
  const port = await freePort()
  const ini = join(folder, 'pgbouncer.ini')
  await writeFile(join(folder, 'users.txt'), `"${APP.name}" "${APP.password}"\n`)
  await writeFile(ini, settings(new URL(target), port, folder, options))
  // Where it runs as another user than the one of this process.
  await chmod(folder, 0o755)
  const url = Object.assign(new URL(target), { port: String(port) }).href
  const start = async (): Promise<GuardedProcess> => {
    const { env, ...command } = postgresCommand(account, 'pgbouncer', [ini])
    const started = await spawnGuarded({ ...command, env: { ...env, ...ENV }, log: (line) => log.push(line) })
    let ended = false
    void started.exited.then(() => (ended = true))
    await until(async () => {
      if (ended) throw new Error(`pgbouncer did not start:\n${log.join('\n')}`)
      return withConnection(url, async () => true).catch(() => false)
    })
    return started
  }
  let bouncer = await start()
  return {
    url,
    log,
    async restart() {
      await bouncer.kill()
      bouncer = await start()
    },
    async stop() {
      await bouncer.kill()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

function settings(server: URL, port: number, folder: string, { ignoreParameters }: PgBouncerOptions): string {
  return [
    '[databases]',
    `* = host=127.0.0.1 port=${server.port}`,
    '[pgbouncer]',
    'listen_addr = 127.0.0.1',
    `listen_port = ${port}`,
    'unix_socket_dir =',
    'auth_type = scram-sha-256',
    `auth_file = ${join(folder, 'users.txt')}`,
    'pool_mode = transaction',
    'default_pool_size = 2',
    'server_login_retry = 1',
    ...((pgbouncerVersion() ?? 0) >= KEEPS_NAMES ? ['max_prepared_statements = 0'] : []),
    ...(ignoreParameters === true
      ? ['ignore_startup_parameters = statement_timeout,lock_timeout,idle_in_transaction_session_timeout']
      : []),
  ].join('\n')
}
