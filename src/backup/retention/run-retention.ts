import type { Pool } from 'pg'
import { recordUpkeep } from '../../db/queries/upkeep.ts'
import type { BackupContext } from '../context.ts'
import { retain, type RetainReport } from './retain.ts'

export interface RetentionRun extends Pick<BackupContext, 'missionDays' | 'newId' | 'telemetry'> {
  /** A pool of the app's login, which may take up `taskforce_retention`. */
  db: Pool
  /** Milliseconds; what is left then waits for the next run. */
  mostMs: number
  dryRun?: boolean
}

/** One run of retention, which leaves a row of what it did and why; a dry run leaves none, and no event. Throws what `retain` throws. */
export async function runRetention({ db, mostMs, dryRun = false, ...context }: RetentionRun): Promise<RetainReport> {
  const { missionDays, newId, telemetry } = context
  if (dryRun) return retain({ db, missionDays, mostMs, dryRun })
  const row = { id: newId(), kind: 'retain', backup: undefined, startedAt: new Date() } as const
  try {
    const report = await retain({ db, missionDays, mostMs })
    await recordUpkeep(db, { ...row, ok: true, report })
    telemetry.retained(report)
    return report
  } catch (error) {
    telemetry.retainFailed(error)
    const why = error instanceof Error ? error.message : String(error)
    // Where the database is what failed, there is nobody to tell.
    await recordUpkeep(db, { ...row, ok: false, report: { why } }).catch(() => undefined)
    throw error
  }
}
