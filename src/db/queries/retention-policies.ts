import type { ClientBase, Pool } from 'pg'
import type { EndedStatus } from './retention-missions.ts'

type Queryable = Pick<ClientBase | Pool, 'query'>

/** How long a tenant's missions are kept that ended so. */
export interface RetentionPolicy {
  tenantId: string
  status: EndedStatus
  /** Days after the end; 0: minutes. */
  keepDays: number
}

/** All policies of all tenants, for whoever may read them: the engine, retention, and the owner. */
export async function listPolicies(db: Queryable): Promise<RetentionPolicy[]> {
  const { rows } = await db.query<RetentionPolicy>({
    name: 'list_retention_policies',
    text: `
      select tenant_id as "tenantId", status, keep_days as "keepDays" from taskforce.retention order by tenant_id, status`,
  })
  return rows
}

/**
 * Sets it in place of one that is there. `db` is the owner's: how long data is kept is nothing that the app or a tenant may
 * decide. Throws the foreign key's violation where there is no such tenant.
 */
export async function setPolicy(db: Queryable, { tenantId, status, keepDays }: RetentionPolicy): Promise<void> {
  await db.query({
    name: 'set_retention_policy',
    text: `
      insert into taskforce.retention (tenant_id, status, keep_days) values ($1, $2, $3)
      on conflict (tenant_id, status) do update set keep_days = excluded.keep_days`,
    values: [tenantId, status, keepDays],
  })
}

/** What the deployment says holds again. Gives whether there was one. `db` is the owner's. */
export async function clearPolicy(db: Queryable, tenantId: string, status: EndedStatus): Promise<boolean> {
  const { rowCount } = await db.query({
    name: 'clear_retention_policy',
    text: 'delete from taskforce.retention where tenant_id = $1 and status = $2',
    values: [tenantId, status],
  })
  return rowCount === 1
}
