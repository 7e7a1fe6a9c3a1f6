import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Client } from 'pg'
import { freePort } from '../processes/free-port.ts'
import { spawnGuarded } from '../processes/spawn-guarded.ts'
import { chooseAccount, postgresCommand, type Account } from './account.ts'
import type { Binaries } from './binaries.ts'

const run = promisify(execFile)

const READY_WITHIN_MS = 60_000

export interface ThrowawayPostgres {
  superUrl: string
  stop(): Promise<void>
}

/**
 * A Postgres of any version from 15 on, on a free port of 127.0.0.1, without a password and without durability: for what
 * is thrown away after it.
 */
export async function startThrowaway(
  binaries: Binaries,
  settings: Record<string, string> = {},
): Promise<ThrowawayPostgres> {
  const folder = await mkdtemp(join(tmpdir(), 'taskforce-throwaway-'))
  const account = await chooseAccount({ binaries, dataDir: join(folder, 'data'), log: () => undefined })
  await initdb(account)
  const port = await freePort()
  const output: string[] = []
  const all = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: '',
    dynamic_shared_memory_type: 'mmap',
    fsync: 'off',
    synchronous_commit: 'off',
    full_page_writes: 'off',
    timezone: 'UTC',
    ...settings,
  }
  const args = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])
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
    throw new Error(`Postgres did not start: ${output.slice(-5).join(' | ')}`, { cause })
  })
  return { superUrl, stop }
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
