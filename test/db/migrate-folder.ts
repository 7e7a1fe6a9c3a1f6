import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { migrationsDir } from '../../src/db/migrate/migrations-dir.ts'
import { migrationLabel, readMigrations } from '../../src/db/migrate/read-migrations.ts'
import { type TestDatabase, createTestDatabase } from '../support/postgres.ts'

const own = await readMigrations()

/** What is said of a database that has all of the project's own migrations, however many there are by now. */
export const CURRENT = {
  revision: Math.max(...own.map(({ revision }) => revision)),
  minCode: Math.max(...own.map(({ minCode }) => minCode)),
  applied: own.map(migrationLabel),
  pending: [],
}

/** The label of a made-up migration, the first after the project's own or one further on. */
export function later(name: string, nth = 1): string {
  return migrationLabel({ revision: CURRENT.revision + nth, name })
}

/** A copy of the project's migrations with these files added or replaced; removed after the test. */
export async function migrationsWith(files: Record<string, string>): Promise<string> {
  const folder = await emptyFolder()
  await cp(migrationsDir(), folder, { recursive: true })
  await writeFiles(folder, files)
  return folder
}

/** A folder with nothing but these files; removed after the test. */
export async function migrationsOnly(files: Record<string, string>): Promise<string> {
  const folder = await emptyFolder()
  await writeFiles(folder, files)
  return folder
}

/** Dropped after the test. */
export async function aDatabase(options?: { migrated?: boolean }): Promise<TestDatabase> {
  const database = await createTestDatabase(options)
  onTestFinished(() => database.drop())
  return database
}

/** The two files of a migration that adds a table. */
export function tableMigration(label: string, table: string): Record<string, string> {
  return {
    [`${label}.up.sql`]: `-- minCode: 1\ncreate table taskforce.${table} (id integer primary key);\n`,
    [`${label}.down.sql`]: `drop table taskforce.${table};\n`,
  }
}

async function emptyFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'taskforce-migrations-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

async function writeFiles(folder: string, files: Record<string, string>): Promise<void> {
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
}
