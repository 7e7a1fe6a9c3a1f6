import { createHash } from 'node:crypto'
import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { TerminalError } from '../../domain/errors.ts'
import { migrationsDir } from './migrations-dir.ts'
import { splitStatements } from './split-statements.ts'

export interface Script {
  file: string
  sql: string
  /** False where the file says `-- no-transaction`: its statements run one by one. */
  transaction: boolean
}

export interface Migration {
  revision: number
  /** The words of the file's name. */
  name: string
  /** The oldest code revision that works with the schema once this has run. */
  minCode: number
  /** SHA-256 of the up file, hexadecimal. */
  checksum: string
  up: Script
  down: Script
}

const FILE_NAME = /^(\d{4})_([a-z0-9_]+)\.(up|down)\.sql$/
const TRANSACTION_CONTROL = /^(begin|start\s+transaction|commit|rollback|abort)\b/i

/** Reads all migrations of a folder in order. Throws TerminalError `migration_files_wrong` naming the file. */
export async function readMigrations(dir = migrationsDir()): Promise<Migration[]> {
  const names = (await readdir(dir)).filter((name) => name.endsWith('.sql')).sort()
  const migrations: Migration[] = []
  for (const name of names) {
    const [, digits = '', words = '', direction] = FILE_NAME.exec(name) ?? []
    if (digits === '') throw wrong(`${name} is not named NNNN_words.up.sql or NNNN_words.down.sql`)
    if (direction === 'down') {
      if (!names.includes(name.replace('.down.', '.up.'))) throw wrong(`${name} has no up file`)
      continue
    }
    const migration = await readMigration(dir, Number(digits), words)
    if (migrations.at(-1)?.revision === migration.revision) {
      throw wrong(`there are two with the number ${digits}; give the later one the next free number`)
    }
    migrations.push(migration)
  }
  return migrations
}

/** `0001_missions`: how people and file names call a migration. */
export function migrationLabel({ revision, name }: { revision: number; name: string }): string {
  return `${revisionLabel(revision)}_${name}`
}

export function revisionLabel(revision: number): string {
  return String(revision).padStart(4, '0')
}

async function readMigration(dir: string, revision: number, name: string): Promise<Migration> {
  const label = migrationLabel({ revision, name })
  const up = await readScript(dir, `${label}.up.sql`)
  const down = await readScript(dir, `${label}.down.sql`)
  const minCode = Number(/^-- minCode: (\d+)$/m.exec(up.sql.split('\n', 1)[0] ?? '')?.[1] ?? Number.NaN)
  if (!(minCode >= 1 && minCode <= revision)) {
    throw wrong(`the first line of ${up.file} must be "-- minCode: N" with N from 1 to ${revision}`)
  }
  return { revision, name, minCode, checksum: createHash('sha256').update(up.sql).digest('hex'), up, down }
}

async function readScript(dir: string, file: string): Promise<Script> {
  const text = await readFile(join(dir, file), 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw wrong(`${file} can't be read (${cause.code})`)
  })
  // Git on Windows may check text out with CRLF; the checksum must not depend on it.
  const sql = text.replaceAll('\r\n', '\n')
  const header = /^(?:--.*\n)*/.exec(sql)?.[0] ?? ''
  const transaction = !/^-- no-transaction$/m.test(header)
  const control = splitStatements(sql).find((statement) => TRANSACTION_CONTROL.test(statement))
  if (control !== undefined) {
    throw wrong(`${file} has a "${control}": each file runs in one transaction of its own, or says -- no-transaction`)
  }
  return { file, sql, transaction }
}

function wrong(what: string): TerminalError {
  return new TerminalError('migration_files_wrong', `The migration files are not in order: ${what}.`)
}
