import { DatabaseError, type ClientBase } from 'pg'
import { TerminalError } from '../../domain/errors.ts'
import { withClient, type ConnectOptions } from './connect.ts'
import { type Migration, migrationLabel, readMigrations } from './read-migrations.ts'

/** A bookkeeping row. */
export interface Applied {
  revision: number
  name: string
  checksum: string
  minCode: number
  appliedAt: Date
}

/** What `npm run migrate` reports; migrations by their labels, such as `0001_missions`. */
export interface Status {
  /** 0 where nothing was applied. */
  revision: number
  minCode: number
  applied: string[]
  pending: string[]
}

export interface HistoryItem {
  revision: number
  name: string
  minCode: number
  /** Null while it is pending. */
  appliedAt: string | null
}

export interface LookOptions {
  /** Another folder of SQL files than the project's. */
  dir?: string
  /** How to sign in where the password is not in the URL. */
  connect?: ConnectOptions
}

/** Where a database stands, with each migration's time. Needs no more than the right to read the bookkeeping. */
export async function readHistory(
  url: string,
  { dir, connect }: LookOptions = {},
): Promise<Status & { history: HistoryItem[] }> {
  const migrations = await readMigrations(dir)
  const applied = await withClient(url, readApplied, connect)
  const items = [
    ...applied.map((row) => ({ ...row, appliedAt: row.appliedAt.toISOString() })),
    ...pendingOf(migrations, applied).map((migration) => ({ ...migration, appliedAt: null })),
  ]
  const history = items.map(({ revision, name, minCode, appliedAt }) => ({ revision, name, minCode, appliedAt }))
  return { ...statusOf(migrations, applied), history: history.sort((a, b) => a.revision - b.revision) }
}

export function statusOf(migrations: Migration[], applied: Applied[]): Status {
  return {
    revision: Math.max(0, ...applied.map((row) => row.revision)),
    minCode: Math.max(0, ...applied.map((row) => row.minCode)),
    applied: applied.map(migrationLabel),
    pending: pendingOf(migrations, applied).map(migrationLabel),
  }
}

export function pendingOf(migrations: Migration[], applied: Applied[]): Migration[] {
  return migrations.filter(({ revision }) => !applied.some((row) => row.revision === revision))
}

/** The bookkeeping rows in order; none where there is no schema. Throws TerminalError `migrate_not_allowed`. */
export async function readApplied(client: ClientBase): Promise<Applied[]> {
  try {
    const { rows } = await client.query<Applied>(
      `select revision, name, checksum, min_code as "minCode", applied_at as "appliedAt"
       from taskforce.migrations order by revision`,
    )
    return rows
  } catch (error) {
    const code = error instanceof DatabaseError ? error.code : undefined
    if (code === '42P01' || code === '3F000') return []
    if (code !== '42501') throw error
    throw new TerminalError(
      'migrate_not_allowed',
      'This login may not read the schema "taskforce" of the database: connect as the login that migrates, a member of taskforce_owner.',
      { cause: error },
    )
  }
}
