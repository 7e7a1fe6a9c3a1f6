import type { Pool } from 'pg'
import { asRetention } from '../../db/as-retention.ts'
import { listTenants } from '../../db/queries/delete-tenant.ts'
import { ENDED_STATUSES, type KeepDays } from '../../db/queries/retention-missions.ts'
import { listPolicies, type RetentionPolicy } from '../../db/queries/retention-policies.ts'

/**
 * For each tenant that stays, for how long missions are kept, by each way to end that is not kept for ever. Tenants that keep
 * all for ever are left out.
 * @param missionDays where no policy says otherwise; undefined: for ever
 */
export async function listKeepDays(
  db: Pool,
  missionDays: number | undefined,
): Promise<{ tenantId: string; keep: KeepDays[] }[]> {
  const { tenants, policies } = await asRetention(db, async (tx) => ({
    tenants: await listTenants(tx),
    policies: await listPolicies(tx),
  }))
  return tenants
    .map((tenantId) => ({ tenantId, keep: daysOf(tenantId, policies, missionDays) }))
    .filter(({ keep }) => keep.length > 0)
}

function daysOf(tenantId: string, policies: readonly RetentionPolicy[], missionDays: number | undefined): KeepDays[] {
  return ENDED_STATUSES.flatMap((status) => {
    const policy = policies.find((one) => one.tenantId === tenantId && one.status === status)
    const days = policy?.keepDays ?? missionDays
    return days === undefined ? [] : [{ status, days }]
  })
}
