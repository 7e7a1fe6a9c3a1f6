import type { Client, ClientBase } from 'pg'
import { readCatalog } from './catalog.ts'
import { readCatalogFile } from './catalog-file.ts'
import { withClient } from './connect.ts'
import { migrationLabel, readMigrations, revisionLabel } from './read-migrations.ts'
import { type LookOptions, type Status, readApplied, statusOf } from './status.ts'

/** `drift`: what the database lacks (`- …`) and what it has that the files don't know (`+ …`). Empty when all is well. */
export type CheckReport = Status & { drift: string[] }

/** Compares a database with the files: the migrations and their checksums, and the live schema with its revision's catalogue. */
export async function checkDatabase(url: string, { dir, connect }: LookOptions = {}): Promise<CheckReport> {
  const migrations = await readMigrations(dir)
  const work = async (client: Client): Promise<CheckReport> => {
    const applied = await readApplied(client)
    const status = statusOf(migrations, applied)
    const isKnown = migrations.some(({ revision }) => revision === status.revision)
    const drift = [
      ...differences(migrations.map(checksumLine), applied.map(checksumLine)),
      // What a revision of other code should look like is in that code's files.
      ...(isKnown ? await catalogDrift(client, status.revision, dir) : []),
    ]
    return { ...status, drift }
  }
  return withClient(url, work, connect)
}

async function catalogDrift(client: ClientBase, revision: number, dir: string | undefined): Promise<string[]> {
  const expected = await readCatalogFile(revision, dir)
  if (expected) return differences(expected, await readCatalog(client))
  return [`- file ${revisionLabel(revision)}.catalog.txt (npm run migrate -- catalog writes it)`]
}

function checksumLine(migration: { revision: number; name: string; checksum: string }): string {
  return `migration ${migrationLabel(migration)} sha256 ${migration.checksum}`
}

/** What is lacking (`- …`) and what nobody knows (`+ …`), both sides of one change together. */
export function differences(expected: string[], found: string[]): string[] {
  const [known, live] = [new Set(expected), new Set(found)]
  const lacking = [...known].filter((line) => !live.has(line)).map((line) => ({ line, sign: '-' }))
  const extra = [...live].filter((line) => !known.has(line)).map((line) => ({ line, sign: '+' }))
  // By text, so that the two sides of one change stand together.
  const sorted = [...lacking, ...extra].sort((a, b) => (a.line < b.line ? -1 : 1))
  return sorted.map(({ line, sign }) => `${sign} ${line}`)
}
