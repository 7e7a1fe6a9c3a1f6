import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { withClient } from '../../db/migrate/connect.ts'
import { readMigrations } from '../../db/migrate/read-migrations.ts'
import { migrateUp } from '../../db/migrate/up.ts'
import { TerminalError } from '../../domain/errors.ts'
import { MARK } from '../plain/form.ts'
import { readFingerprint } from './fingerprint.ts'
import { sectionFiles, sectionsDir } from './sections.ts'

const run = promisify(execFile)

/** The oldest version that restores have to work with: what it writes, the later ones read. */
const MAJOR = 15
const WITHIN_MS = 60_000

export interface MakeSections {
  /** A login of a Postgres 15 that may make databases and the schema's roles. */
  superUrl: string
  /** The program of version 15. */
  pgDump: string
  /** The project's own folder by default. */
  outDir?: string
  migrationsDir?: string
}

/**
 * Writes both sections and the fingerprint of every revision, from a scratch database that is migrated step by step and dropped
 * again. The same input gives the same files. Answers their paths. Throws TerminalError `pg_dump_wrong` for another version of
 * pg_dump or of the server.
 */
export async function makeSections({
  superUrl,
  pgDump,
  outDir = sectionsDir(),
  migrationsDir,
}: MakeSections): Promise<string[]> {
  await checkVersions(superUrl, pgDump)
  const database = `taskforce_sections_${randomBytes(6).toString('hex')}`
  const scratch = new URL(superUrl)
  scratch.pathname = `/${database}`
  await withClient(superUrl, (client) => client.query(`create database ${database} template template0 encoding 'UTF8'`))
  try {
    await mkdir(outDir, { recursive: true })
    const written: string[] = []
    for (const { revision } of await readMigrations(migrationsDir)) {
      await migrateUp(scratch.href, { to: revision, dir: migrationsDir })
      written.push(...(await writeRevision(scratch, pgDump, revision, outDir)))
    }
    return written
  } finally {
    await withClient(superUrl, (client) => client.query(`drop database ${database} with (force)`))
  }
}

async function writeRevision(scratch: URL, pgDump: string, revision: number, outDir: string): Promise<string[]> {
  const pre = stripped(await dumpSection(scratch, pgDump, 'pre-data'))
  const post = stripped(await dumpSection(scratch, pgDump, 'post-data'))
  const settings = pre.slice(0, pre.indexOf('--\n-- Name: '))
  // Both begin with the same settings, and the first section has made them already.
  const rest = post.startsWith(settings) ? post.slice(settings.length) : post
  const fingerprint = await withClient(scratch.href, async (client) => {
    await client.query(`begin read only; set local search_path = ''`)
    return readFingerprint(client)
  })
  const files = sectionFiles(revision, outDir)
  await writeFile(files.pre, pre)
  await writeFile(files.post, rest)
  await writeFile(files.fingerprint, `${fingerprint.join('\n')}\n`)
  return Object.values(files)
}

async function dumpSection(scratch: URL, pgDump: string, section: 'pre-data' | 'post-data'): Promise<string> {
  const [url, password] = [new URL(scratch), decodeURIComponent(scratch.password)]
  url.password = ''
  const args = [`--dbname=${url.href}`, '--schema=taskforce', '--schema-only', `--section=${section}`, '--no-password']
  // Other users see a program's arguments, and not its environment. Nothing else of ours may change what it writes.
  const env = { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', PGPASSWORD: password }
  const { stdout } = await run(pgDump, args, { env, maxBuffer: 64 * 1024 * 1024, timeout: WITHIN_MS })
  return stdout
}

/** Without what differs from run to run and from machine to machine. A function's text may have any lines, and keeps them. */
function stripped(text: string): string {
  const body = text
    .replace(/^[\s\S]*?\n-- Dumped by pg_dump version .*\n/, '')
    .replace(/\n--\n-- PostgreSQL database dump complete\n[\s\S]*$/, '\n')
    .replaceAll('\n\n\n--\n-- Name: ', '\n\n--\n-- Name: ')
  if (body.split('\n').some((line) => line.startsWith(MARK) || line.startsWith('\\'))) {
    throw new TerminalError(
      'sections_wrong',
      `pg_dump wrote a line of the schema that begins with "${MARK}" or a backslash, which a backup could not be told from: change the migration that has it.`,
    )
  }
  return `${body.trim()}\n`
}

async function checkVersions(superUrl: string, pgDump: string): Promise<void> {
  const { stdout } = await run(pgDump, ['--version']).catch((cause: unknown) => {
    throw wrong(`${pgDump} does not run`, cause)
  })
  if (!stdout.startsWith(`pg_dump (PostgreSQL) ${MAJOR}.`)) throw wrong(`${pgDump} is ${stdout.trim()}`)
  const { rows } = await withClient(superUrl, (client) =>
    client.query<{ major: number }>(`select current_setting('server_version_num')::int / 10000 as major`),
  )
  if (rows[0]?.major !== MAJOR) throw wrong(`the server is Postgres ${rows[0]?.major}`)
}

function wrong(why: string, cause?: unknown): TerminalError {
  return new TerminalError(
    'pg_dump_wrong',
    `The sections of a backup's schema are made by pg_dump ${MAJOR} from a Postgres ${MAJOR}, and ${why}.`,
    { hint: `On Debian both are in the packages postgresql-${MAJOR} and postgresql-client-${MAJOR}.`, cause },
  )
}
