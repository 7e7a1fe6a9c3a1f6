import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { TerminalError } from '../../domain/errors.ts'
import { migrationsDir } from './migrations-dir.ts'
import { migrationLabel, readMigrations } from './read-migrations.ts'

export interface NewMigration {
  revision: number
  /** The paths of the up and the down file. */
  files: [string, string]
}

/**
 * Writes the two files of the next migration, empty but for their heads. `name` may be any words; they become snake case.
 * Throws TerminalError `migration_name_wrong`, or what the file system throws.
 */
export async function createMigration(name: string, dir = migrationsDir()): Promise<NewMigration> {
  const words = name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
    .replaceAll(/^_|_$/g, '')
  if (words === '' || words.length > 60) {
    throw new TerminalError(
      'migration_name_wrong',
      `"${name}" gives no file name: use a few plain words, such as add-labels.`,
    )
  }
  const newest = (await readMigrations(dir)).at(-1)?.revision ?? 0
  const path = join(dir, migrationLabel({ revision: newest + 1, name: words }))
  const up = `${path}.up.sql`
  const down = `${path}.down.sql`
  await writeFile(up, upHead(Math.max(1, newest)), { flag: 'wx' })
  await writeFile(down, '-- Takes the up file back.\n', { flag: 'wx' }).catch(async (error: unknown) => {
    await rm(up)
    throw error
  })
  return { revision: newest + 1, files: [up, down] }
}

/** The code before it must go on working while the new one comes, so its revision is the first offer. */
function upHead(minCode: number): string {
  return `-- minCode: ${minCode}\n-- The first line names the oldest code revision that works with the schema after this.\n`
}
