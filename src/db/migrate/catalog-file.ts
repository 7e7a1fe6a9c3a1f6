import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Client } from 'pg'
import { TerminalError } from '../../domain/errors.ts'
import { readCatalog } from './catalog.ts'
import { withClient } from './connect.ts'
import { migrationsDir } from './migrations-dir.ts'
import { readMigrations, revisionLabel } from './read-migrations.ts'
import { type LookOptions, readApplied, statusOf } from './status.ts'

/** `0001.catalog.txt`: the schema as it is after that revision. */
export function catalogFile(revision: number, dir = migrationsDir()): string {
  return join(dir, `${revisionLabel(revision)}.catalog.txt`)
}

/** The lines of a revision's file; undefined where there is none. */
export async function readCatalogFile(revision: number, dir?: string): Promise<string[] | undefined> {
  try {
    const text = await readFile(catalogFile(revision, dir), 'utf8')
    return text.split(/\r?\n/).filter((line) => line !== '')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/**
 * Writes the newest revision's file from a database that was migrated with these very files, and answers its path. Throws
 * TerminalError `database_not_current` for any other database.
 */
export async function writeCatalogFile(url: string, { dir, connect }: LookOptions = {}): Promise<string> {
  const migrations = await readMigrations(dir)
  const work = async (client: Client): Promise<string> => {
    const applied = await readApplied(client)
    const { revision, pending } = statusOf(migrations, applied)
    const isSame = applied.every((row) => migrations.some((migration) => migration.checksum === row.checksum))
    if (pending.length > 0 || !isSame || revision === 0) {
      throw new TerminalError(
        'database_not_current',
        'The catalogue is written from a database that has exactly the migrations in the files, and this one differs: take a fresh one, run "npm run migrate -- up", then this again.',
      )
    }
    const file = catalogFile(revision, dir)
    await writeFile(file, `${(await readCatalog(client)).join('\n')}\n`)
    return file
  }
  return withClient(url, work, connect)
}
