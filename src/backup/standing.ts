import type { UpkeepAge, UpkeepKind } from '../db/queries/upkeep.ts'

const HOUR_MS = 3_600_000

/** A backup a day, and two hours for a slow one. */
const BACKUP_LATE_MS = 26 * HOUR_MS
/** A drill a week, and a day for a missed one. */
const DRILL_LATE_MS = 8 * 24 * HOUR_MS

/**
 * What is wrong with the backups of a deployment, in sentences; empty: nothing. A new deployment has until its first ones are
 * due.
 */
export function backupWorries({ runs, schemaMs }: { runs: readonly UpkeepAge[]; schemaMs: number }): string[] {
  const of = (kind: UpkeepKind) => runs.find((run) => run.kind === kind)
  return [...worry(of('backup'), schemaMs, BACKUP), ...worry(of('drill'), schemaMs, DRILL), ...offsite(of('backup'))]
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
