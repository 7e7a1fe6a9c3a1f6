import { runRetention } from '../../src/backup/retention/run-retention.ts'
import type { Context, SharedOptions } from '../backup/context.ts'
import { EXIT } from '../backup/run-words.ts'
import { count } from '../mission/text.ts'
import { withPool } from './open-pool.ts'

/** Removes what is kept no longer, and tells what. */
export async function retainNow(context: Context, options: SharedOptions & { dryRun?: boolean }): Promise<number> {
  const report = await withPool(context, options, (db, opened) =>
    runRetention({ ...opened, db, mostMs: Infinity, dryRun: options.dryRun === true }),
  )
  const { terminal } = context
  if (options.json) {
    terminal.json(report)
    return EXIT.done
  }
  const what = report.dryRun ? 'would go' : 'removed'
  terminal.print([
    ...report.missions.map(
      ({ tenantId, status, days, missions }) =>
        `${count(missions)} ${status} missions of ${tenantId} ${what}: ended over ${days} days ago`,
    ),
    ...(report.missions.length === 0
      ? ['Missions are kept for ever: no policy, and MISSION_RETENTION_DAYS is not set.']
      : []),
    `${count(report.keys)} idempotency keys, ${count(report.contents.removed)} files, ${count(report.profiles)} profiles, ${count(report.upkeep)} records of runs ${what}`,
    ...report.tenants.map(({ tenantId, missions }) => `tenant ${tenantId}: ${count(missions)} missions ${what}`),
  ])
  return EXIT.done
}
