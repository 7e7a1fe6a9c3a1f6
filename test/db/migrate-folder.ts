import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { migrationsDir } from '../../src/db/migrate/migrations-dir.ts'
import { type TestDatabase, createTestDatabase } from '../support/postgres.ts'

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
