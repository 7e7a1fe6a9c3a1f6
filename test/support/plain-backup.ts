import { execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { promisify } from 'node:util'
import { Client } from 'pg'
import { dump, type DumpOptions } from '../../src/backup/dump/dump.ts'
import type { DumpContents } from '../../src/backup/manifest.ts'
import { withSuper } from './global-setup.ts'

const run = promisify(execFile)

export interface Dumped {
  contents: DumpContents
  plain: Buffer
}

/** Dumps a database into memory. */
export async function dumpToMemory(url: string, options: Partial<DumpOptions> = {}): Promise<Dumped> {
  const chunks: Buffer[] = []
  const contents = await dumpTo(url, async (chunk) => void chunks.push(chunk), options)
  return { contents, plain: Buffer.concat(chunks) }
}

export async function dumpTo(
  url: string,
  write: (chunk: Buffer) => Promise<void>,
  options: Partial<DumpOptions> = {},
): Promise<DumpContents> {
  const client = new Client({ connectionString: url })
  client.on('error', () => undefined)
  await client.connect()
  try {
    return await dump(client, write, { version: 'test', ...options })
  } finally {
    await client.end().catch(() => undefined)
  }
}

/** An empty database of the server, and its URL as superuser; dropped when `work` is done. */
export async function inEmptyDatabase<T>(superUrl: string, work: (url: string) => Promise<T>): Promise<T> {
  const name = `taskforce_copy_${randomBytes(6).toString('hex')}`
  await withSuper(superUrl, (client) => client.query(`create database ${name} template template0`))
  const url = new URL(superUrl)
  url.pathname = `/${name}`
  try {
    return await work(url.href)
  } finally {
    await withSuper(superUrl, (client) => client.query(`drop database ${name} with (force)`))
  }
}

/** Restores with plain psql, as the manual says. Throws with what psql said. */
export async function restoreWithPsql(url: string, plain: Buffer): Promise<void> {
  const args = ['-X', '-q', '-v', 'ON_ERROR_STOP=1', '--single-transaction', '-o', '/dev/null', '-d', url]
  const psql = spawn('psql', args, { stdio: ['pipe', 'ignore', 'pipe'] })
  let errors = ''
  psql.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
  // It stops reading at the first error.
  psql.stdin.on('error', () => undefined)
  psql.stdin.end(plain)
  const [code] = (await once(psql, 'close')) as [number]
  if (code !== 0) throw new Error(`psql ended with ${code}: ${errors}`)
}

/** What pg_dump says of a schema with its data, without the lines that are random, and without the rows of unlogged tables. */
export async function pgDump(url: string): Promise<string> {
  const args = ['--schema=taskforce', '--no-unlogged-table-data', '-d', url]
  const { stdout } = await run('pg_dump', args, { maxBuffer: 1024 * 1024 * 1024 })
  return stdout.replaceAll(/^\\(un)?restrict .*$/gm, '')
}
