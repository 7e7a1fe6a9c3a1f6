import { withClient } from '../db/migrate/connect.ts'
import { recordUpkeep } from '../db/queries/upkeep.ts'
import type { BackupContext } from './context.ts'
import { newestVerified, type KnownBackup } from './known-backup.ts'
import type { DrillReport } from './restore/drill.ts'
import { listBackups } from './retention/list-backups.ts'
import { runDrill } from './run-drill.ts'

/**
 * Drills the newest verified backup; undefined where there is none: what is missing then is the backup, and readiness says so.
 * A store that can't be listed is a drill that failed, told and recorded like one. Throws TerminalError of the store, and like
 * `runDrill`.
 */
export async function drillNewest(context: BackupContext): Promise<DrillReport | undefined> {
  const startedAt = new Date()
  let newest: KnownBackup | undefined
  try {
    newest = newestVerified(await listBackups(context.main))
  } catch (error) {
    context.telemetry.drillFailed(error)
    await recordFailure(context, startedAt, error)
    throw error
  }
  return newest && runDrill(context, newest.name)
}

/** Never throws: what failed first is what is told. */
async function recordFailure(
  { databaseUrl, connect, newId, telemetry }: BackupContext,
  startedAt: Date,
  error: unknown,
): Promise<void> {
  const report = { why: error instanceof Error ? error.message : String(error) }
  const row = { id: newId(), kind: 'drill', backup: undefined, startedAt, ok: false, report } as const
  try {
    await withClient(databaseUrl, (client) => recordUpkeep(client, row), connect)
  } catch (failure) {
    telemetry.drillFailed(failure)
  }
}
