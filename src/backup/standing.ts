import type { UpkeepAge, UpkeepAges, UpkeepKind } from '../db/queries/upkeep.ts'
import { inTime } from '../engine/in-time.ts'
import { lastStored } from './known-backup.ts'
import { listBackups } from './retention/list-backups.ts'
import type { BackupStore } from './store/store.ts'

const HOUR_MS = 3_600_000

/** A backup a day, and two hours for a slow one. */
const BACKUP_LATE_MS = 26 * HOUR_MS
/** The store tries again for minutes, and the sweep waits behind this. */
const LOOK_MS = 20_000
/** A drill a week, and a day for a missed one. */
const DRILL_LATE_MS = 8 * 24 * HOUR_MS

/**
 * What is wrong with the backups of a deployment, in sentences; empty: nothing. A new deployment has until its first ones are
 * due.
 */
export function backupWorries({ runs, schemaMs, storeWorry }: UpkeepAges): string[] {
  const of = (kind: UpkeepKind) => runs.find((run) => run.kind === kind)
  return [
    ...worry(of('backup'), schemaMs, BACKUP),
    ...worry(of('drill'), schemaMs, DRILL),
    ...offsite(of('backup')),
    ...(storeWorry === undefined ? [] : [storeWorry]),
  ]
}

/**
 * What is wrong with the store itself, where the records say that a backup was made in time: a container that was deleted or a
 * folder that is not mounted has none of them. Undefined: nothing. Never throws.
 */
export async function lookAtStore(store: BackupStore, { runs }: Pick<UpkeepAges, 'runs'>): Promise<string | undefined> {
  const made = runs.find(({ kind }) => kind === 'backup')?.lastGoodMs ?? Infinity
  if (made > BACKUP_LATE_MS) return undefined
  try {
    const newest = lastStored(await inTime(listBackups(store), LOOK_MS))
    const age = newest === undefined ? Infinity : (await store.now()).getTime() - newest.createdAt.getTime()
    if (age <= BACKUP_LATE_MS) return undefined
    const found = newest === undefined ? 'holds no verified backup' : `holds none since ${newest.name}`
    return `${store.place} ${found}, though one was made ${Math.floor(made / HOUR_MS)} h ago: was it deleted, or is it another store?`
  } catch (error) {
    return `${store.place} could not be looked at: ${error instanceof Error ? error.message : String(error)}`
  }
}

interface Rule {
  what: string
  lateMs: number
  hint: string
}

const BACKUP: Rule = { what: 'verified backup', lateMs: BACKUP_LATE_MS, hint: 'npm run backup -- now' }
const DRILL: Rule = { what: 'restore drill that passed', lateMs: DRILL_LATE_MS, hint: 'npm run backup -- drill' }

function worry(run: UpkeepAge | undefined, schemaMs: number, { what, lateMs, hint }: Rule): string[] {
  const age = run?.lastGoodMs ?? schemaMs
  const failed = run?.lastMs !== undefined && run.lastMs !== run.lastGoodMs
  if (age > lateMs) {
    const since =
      run?.lastGoodMs === undefined ? 'there is none' : `the newest one is ${Math.floor(age / HOUR_MS)} h old`
    return [`No ${what} in time: ${since}; see the event backup.failed or run ${hint}`]
  }
  return failed ? [`The last try at a ${what} failed; see its event, or run ${hint}`] : []
}

function offsite(run: UpkeepAge | undefined): string[] {
  const report = run?.report as { offsite?: { ok?: boolean } } | null | undefined
  return report?.offsite?.ok === false
    ? ['The newest backup was not copied offsite; see the event backup.offsite.failed']
    : []
}
