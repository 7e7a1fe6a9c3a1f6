import { withClient } from '../db/migrate/connect.ts'
import { recordUpkeep } from '../db/queries/upkeep.ts'
import type { BackupContext } from './context.ts'
import { databaseTime } from './database-time.ts'
import { pruneBackups, type PruneReport, type PruneRequest } from './retention/prune.ts'

type Choice = { name: string }

/**
 * Removes the backups of both stores that are kept no longer. What went, how much and why is a row of the upkeep, also where it
 * failed; a dry run leaves none, and needs no database. Throws TerminalError of `pruneBackups`, and where the database can't be
 * reached: nothing was removed then.
 */
export async function runPrune(
  context: BackupContext,
  request: Pick<PruneRequest, 'justVerified' | 'dryRun' | 'byHand'>,
): Promise<PruneReport> {
  const { databaseUrl, connect, main, offsite, retentionDays, telemetry, newId } = context
  const work = () =>
    pruneBackups({ store: main, retentionDays, ...(offsite === undefined ? {} : { offsite }), ...request })
  if (request.dryRun === true) return work()
  const inDatabase = <T>(ask: Parameters<typeof withClient<T>>[1]) => withClient(databaseUrl, ask, connect)
  const failed = (error: unknown) => telemetry.pruneFailed({ place: main.place, error })
  const startedAt = await inDatabase(databaseTime).catch((error: unknown) => {
    failed(error)
    throw error
  })
  const record = (ok: boolean, report: object) =>
    inDatabase((client) =>
      recordUpkeep(client, { id: newId(), kind: 'prune', backup: request.justVerified, startedAt, ok, report }),
    )
  try {
    const report = await work()
    const copies = report.offsite
    if (copies !== undefined && 'error' in copies) telemetry.pruneFailed({ place: copies.place, error: copies.error })
    telemetry.pruned({ removed: namesOf(report.removed), held: namesOf(report.held), bytesFreed: report.bytesFreed })
    await record(copies === undefined || !('error' in copies), report)
    return report
  } catch (error) {
    failed(error)
    const why = error instanceof Error ? error.message : String(error)
    await record(false, { why }).catch(() => undefined)
    throw error
  }
}

function namesOf(choices: readonly Choice[]): string[] {
  return choices.map(({ name }) => name)
}
