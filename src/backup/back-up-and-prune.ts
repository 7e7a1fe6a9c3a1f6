import { backUp, type BackUpOptions, type BackupReport } from './back-up.ts'
import type { BackupContext } from './context.ts'
import { runPrune } from './run-prune.ts'

/**
 * Makes a backup and, only where that is verified, removes old ones. What can't be removed is recorded and told, and fails
 * nothing: the backup is made, whatever becomes of the old ones. Throws like `backUp`.
 */
export async function backUpAndPrune(context: BackupContext, options: BackUpOptions): Promise<BackupReport> {
  const report = await backUp(context, options)
  if (report.verified) await runPrune(context, { justVerified: report.name }).catch(() => undefined)
  return report
}
