import type { RestorePlan } from '../../src/backup/restore/plan-restore.ts'
import type { ReconcileReport } from '../../src/backup/restore/reconcile.ts'
import type { RestoreReport } from '../../src/backup/restore/restore.ts'
import { count, duration, size } from '../mission/text.ts'

/** What a restore would do. */
export function planLines(plan: RestorePlan): string[] {
  const { liveLeases, revisionInBackup, revisionAfter, previous } = plan
  const missions = liveLeases.reduce((sum, lease) => sum + lease.missions, 0)
  return [
    `Restores ${plan.from} of ${plan.snapshotAt}${plan.verified ? '' : ` (UNVERIFIED: ${whyUnverified(plan)})`}`,
    ...plan.missing.map((line) => `  NOT ALL DATA IS IN IT: ${line}`),
    `    into ${plan.into}`,
    `  ${plan.tables} tables, ${count(plan.rows)} rows, ${size(plan.bytes)} from ${size(plan.storedBytes)}`,
    revisionInBackup === revisionAfter
      ? `  schema revision ${revisionAfter}`
      : `  schema revision ${revisionInBackup}, migrated to ${revisionAfter} after it`,
    plan.isEmpty ? '  The target is empty.' : '  What is there moves to a schema taskforce_before_TIME, and is kept.',
    ...(missions === 0 ? [] : [`  ${missions} missions are being worked on; the deployment drains first.`]),
    ...(previous.length === 0
      ? []
      : [`  Kept from earlier restores: ${previous.map(({ schema }) => schema).join(', ')}`]),
  ]
}

function whyUnverified({ missing }: RestorePlan): string {
  return missing.length === 0 ? 'its schema had been changed by hand' : 'it lacks data'
}

/** What it did, and what is left to do. */
export function reportLines(report: ReconcileReport & Partial<RestoreReport>): string[] {
  const { effects, previous } = report
  const calls = (effects?.unknown ?? []).map(
    ({ missionId, key, by }) =>
      `  mission ${missionId}: ${by?.tool ?? 'a call'} (${key}); then npm run mission -- resume ${missionId}`,
  )
  return [
    `Done in ${duration(report.durationMs)}: ${report.from} is in ${report.into}, generation ${report.generation}.`,
    ...(report.missing ?? []).map((line) => `NOT ALL DATA WAS IN IT: ${line}`),
    ...((report.tenantsRemovedSince ?? 0) === 0
      ? []
      : [
          `${report.tenantsRemovedSince} tenants of the backup were removed since, and are marked as removed; the next retention takes them away, or: npm run retain -- now`,
        ]),
    ...(effects === undefined
      ? [
          'Calls that act once were not compared: no storage is configured. Set JOBS_STORAGE, and run it again with --reconcile.',
        ]
      : []),
    ...(calls.length === 0
      ? []
      : [
          `${calls.length} calls that act once were begun and are not in the journals. Find out whether they happened:`,
        ]),
    ...calls,
    ...(effects?.strangers ?? []).map(
      ({ missionId, key }) => `  of a mission that is not in the backup: ${missionId} (${key})`,
    ),
    ...(previous.length === 0
      ? []
      : [
          'What was there before is kept. When nobody needs it any more:',
          ...previous.map(({ dropSql }) => `  ${dropSql}`),
        ]),
  ]
}
