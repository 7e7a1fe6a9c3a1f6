import type { DeleteTenantReport } from '../../src/backup/retention/delete-tenant.ts'
import { runDeleteTenant } from '../../src/backup/retention/run-delete-tenant.ts'
import { DEFAULT_TENANT_ID } from '../../src/db/queries/delete-tenant.ts'
import type { Context, SharedOptions } from '../backup/context.ts'
import { EXIT } from '../backup/run-words.ts'
import { count } from '../mission/text.ts'
import { confirm } from '../restore/confirm.ts'
import { withPool } from './open-pool.ts'
import { requireTenant } from './require-tenant.ts'

/** Removes a tenant for good, and tells until when its data is in backups. Exit code 1 where the store could not be asked. */
export async function deleteTenantNow(
  context: Context,
  options: SharedOptions & { yes?: boolean },
  tenantId: string,
): Promise<number> {
  const { terminal } = context
  const { report, notRecorded } = await withPool(context, options, async (db, opened) => {
    await requireTenant(db, tenantId)
    // That one is refused whatever the answer.
    if (options.yes !== true && tenantId !== DEFAULT_TENANT_ID)
      await confirm(terminal, `everything of the tenant ${tenantId} would be removed for good`, options)
    const { main: store, retentionDays, newId } = opened
    return runDeleteTenant({ db, tenantId, store, retentionDays, newId })
  })
  if (options.json) terminal.json(report)
  else terminal.print(toLines(report))
  if (notRecorded !== undefined) {
    terminal.error(`It is removed, but what this run did could not be recorded in taskforce.upkeep: ${notRecorded}`)
  }
  return 'error' in report.backups ? EXIT.failed : EXIT.done
}

function toLines({ name, missions, events, contents, backups, earlierSchemas }: DeleteTenantReport): string[] {
  return [
    `The tenant ${name} is removed: ${count(missions)} missions, ${count(events)} events, ${count(contents)} files.`,
    'error' in backups
      ? `Which backups have it could not be found out: ${backups.error}`
      : backups.lastBackupHolding === undefined
        ? 'No backup has it.'
        : `Backups have it until ${backups.goneFromBackupsBy}; the newest one of them is ${backups.lastBackupHolding}.`,
    ...(earlierSchemas.length === 0
      ? []
      : [
          'What earlier restores moved out of the way still has it, or may have it, until you drop it:',
          ...earlierSchemas.map(({ dropSql }) => `  ${dropSql}`),
        ]),
    ...('held' in backups ? backups.held.map((one) => `  ${one} is held: it has it until it is released`) : []),
  ]
}
