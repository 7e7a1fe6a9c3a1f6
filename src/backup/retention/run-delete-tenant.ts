import { recordUpkeep } from '../../db/queries/upkeep.ts'
import { deleteTenant, type DeleteTenantReport, type DeleteTenantRequest } from './delete-tenant.ts'

export interface DeleteTenantRun {
  report: DeleteTenantReport
  /** Why there is no row of this run in the upkeep; undefined: there is one. */
  notRecorded: string | undefined
}

/**
 * Removes a tenant, and records what came of it, also where it failed. What can't be recorded changes nothing about either.
 * Throws like `deleteTenant`.
 */
export async function runDeleteTenant(
  request: DeleteTenantRequest & { newId: () => string },
): Promise<DeleteTenantRun> {
  const { db, tenantId, newId } = request
  const startedAt = new Date()
  const record = (ok: boolean, report: object) => {
    const row = { id: newId(), kind: 'delete_tenant', backup: undefined, startedAt, ok, report } as const
    return recordUpkeep(db, row).then(() => undefined, reasonOf)
  }
  try {
    const report = await deleteTenant(request)
    return { report, notRecorded: await record(report.done, report) }
  } catch (error) {
    await record(false, { tenantId, why: reasonOf(error) })
    throw error
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
