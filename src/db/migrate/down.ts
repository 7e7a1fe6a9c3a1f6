import type { Client, ClientBase } from 'pg'
import { TerminalError } from '../../domain/errors.ts'
import { withClient } from './connect.ts'
import { inLockedSession, inLockedTransaction, type Session } from './lock.ts'
import { type Migration, migrationLabel, readMigrations } from './read-migrations.ts'
import { runScript } from './run-script.ts'
import { type Applied, readApplied, statusOf } from './status.ts'
import { type RunOptions, type RunReport, openSession, unknownRevision } from './up.ts'

export interface DownOptions extends RunOptions {
  /** How many to take back, or the revision to end at (0: none is left). */
  goal: { steps: number } | { revision: number }
  /** Also where there are missions, whose data may go with the tables. */
  yes?: boolean
}

/**
 * Takes migrations back, the newest first. Throws TerminalError `would_lose_data` where there are missions and `yes` was
 * not said.
 */
export async function migrateDown(url: string, options: DownOptions): Promise<RunReport> {
  const migrations = await readMigrations(options.dir)
  const work = async (client: Client): Promise<RunReport> => {
    const session = openSession(client, url, options)
    const undone: Migration[] = []
    for (const row of chooseRows(await readApplied(client), options.goal)) {
      const migration = migrations.find(({ revision }) => revision === row.revision)
      if (!migration) throw unknownHere(row)
      await takeBack(session, migration, options.yes ?? false)
      session.log(`Took back ${migrationLabel(migration)}.`)
      undone.push(migration)
    }
    return { ...statusOf(migrations, await readApplied(client)), done: undone.map(migrationLabel) }
  }
  return withClient(url, work, options.connect)
}

function chooseRows(applied: Applied[], goal: DownOptions['goal']): Applied[] {
  const newestFirst = applied.toReversed()
  if ('steps' in goal) return newestFirst.slice(0, goal.steps)
  const isKnown = goal.revision === 0 || applied.some(({ revision }) => revision === goal.revision)
  if (!isKnown) throw unknownRevision(goal.revision, applied)
  return newestFirst.filter(({ revision }) => revision > goal.revision)
}

async function takeBack(session: Session, migration: Migration, yes: boolean): Promise<void> {
  const { client } = session
  const { transaction } = migration.down
  await (transaction ? inLockedTransaction : inLockedSession)(session, async () => {
    if ((await readApplied(client)).at(-1)?.revision !== migration.revision) throw changedMeanwhile(migration)
    await client.query(`set ${transaction ? 'local ' : ''}role taskforce_owner`)
    if (!yes && (await hasMissions(client))) throw wouldLoseData(migration)
    if (!transaction) await runScript(session, migration.down)
    await client.query('delete from taskforce.migrations where revision = $1', [migration.revision])
    if (transaction) await runScript(session, migration.down)
  })
}

async function hasMissions(client: ClientBase): Promise<boolean> {
  const { rows: tables } = await client.query<{ exists: boolean }>(
    `select to_regclass('taskforce.missions') is not null as exists`,
  )
  if (!tables[0]?.exists) return false
  const { rows } = await client.query<{ some: boolean }>(`select exists (select from taskforce.missions) as some`)
  return rows[0]?.some ?? false
}

function wouldLoseData(migration: Migration): TerminalError {
  return new TerminalError(
    'would_lose_data',
    `This database holds missions, and taking back ${migrationLabel(migration)} may delete data of theirs. Nothing was changed.`,
    { hint: 'Make sure that you have a backup of the database (pg_dump), then give the same command with --yes.' },
  )
}

function changedMeanwhile(migration: Migration): TerminalError {
  return new TerminalError(
    'migrate_busy',
    `Another migrate changed the database meanwhile, and ${migrationLabel(migration)} is no longer its newest migration: look with "npm run migrate -- current" and decide again.`,
  )
}

function unknownHere(row: Applied): TerminalError {
  return new TerminalError(
    'unknown_revision',
    `${migrationLabel(row)} is in the database and this code has no file to take it back: run down from the code that brought it.`,
  )
}
