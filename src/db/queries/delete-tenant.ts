import type { RetentionTx } from '../as-retention.ts'
import { removeEvents, removeMissions, type Removed } from './retention-missions.ts'

/** Made by the migrations; what every request without a tenant of its own is for. */
export const DEFAULT_TENANT_ID = '00000000-0000-7000-8000-000000000001'

export interface DeletedTenant {
  id: string
  name: string
  createdAt: Date
  deletedAt: Date
}

/** Tenants whose removal has begun and has not come to its end. */
export async function listDeleted(tx: RetentionTx): Promise<string[]> {
  const { rows } = await tx.query<{ id: string }>({
    name: 'retention_list_deleted',
    text: 'select id from taskforce.tenants where deleted_at is not null order by deleted_at, id',
  })
  return rows.map(({ id }) => id)
}

/** Tenants that stay. */
export async function listTenants(tx: RetentionTx): Promise<string[]> {
  const { rows } = await tx.query<{ id: string }>({
    name: 'retention_list_tenants',
    text: 'select id from taskforce.tenants where deleted_at is null order by id',
  })
  return rows.map(({ id }) => id)
}

/**
 * From its commit on nothing of the tenant moves: claims and creations pass it over, and every mission that has not ended has
 * a new epoch and no owner, so that what its instance writes next is refused. Undefined where there is no such tenant.
 */
export async function markDeleted(tx: RetentionTx, tenantId: string): Promise<DeletedTenant | undefined> {
  // One that is in the middle of a long list of files may hold it for longer than is usual here.
  await tx.query(`select set_config('lock_timeout', '5s', true)`)
  // Stronger than the update's own lock: creations, whose foreign key looks at this row, are over or wait.
  const { rows } = await tx.query<DeletedTenant>({
    name: 'delete_tenant_lock',
    text: `
      select id, name, created_at as "createdAt", coalesce(deleted_at, now()) as "deletedAt" from taskforce.tenants where id = $1 for update`,
    values: [tenantId],
  })
  await tx.query({
    name: 'delete_tenant_mark',
    text: 'update taskforce.tenants set deleted_at = now() where id = $1 and deleted_at is null',
    values: [tenantId],
  })
  await fence(tx, tenantId)
  return rows[0]
}

async function fence(tx: RetentionTx, tenantId: string): Promise<void> {
  await tx.query({
    name: 'delete_tenant_fence',
    text: `
      update taskforce.missions set epoch = epoch + 1, owner = null, wake_at = null
      where tenant_id = $1 and ended_at is null and (owner is not null or wake_at is not null)`,
    values: [tenantId],
  })
}

/** Some of the tenant's missions with all that is theirs, however they stand. Gives their ids too. */
export async function removeSome(
  tx: RetentionTx,
  tenantId: string,
  limit: number,
): Promise<Removed & { ids: string[] }> {
  const { rows } = await tx.query<{ id: string }>({
    name: 'delete_tenant_some',
    text: 'select id from taskforce.missions where tenant_id = $1 order by id limit $2 for update',
    values: [tenantId, limit],
  })
  const ids = rows.map(({ id }) => id)
  return { ...(await removeMissions(tx, tenantId, ids, { evenForked: true })), ids }
}

/** What appends that were sent before the missions were fenced have recorded since. */
export async function removeLate(tx: RetentionTx, tenantId: string, ids: readonly string[]): Promise<number> {
  return removeEvents(tx, tenantId, ids)
}

/** Some of its files. */
export async function removeSomeContents(
  tx: RetentionTx,
  tenantId: string,
  limit: number,
): Promise<{ removed: number; bytes: number }> {
  const { rows } = await tx.query<{ bytes: number }>({
    name: 'delete_tenant_contents',
    text: `
      delete from taskforce.contents where tenant_id = $1 and sha256 in (
        select sha256 from taskforce.contents where tenant_id = $1 order by sha256 limit $2)
      returning octet_length(bytes) as bytes`,
    values: [tenantId, limit],
  })
  return { removed: rows.length, bytes: rows.reduce((sum, row) => sum + row.bytes, 0) }
}

const REST = ['contents', 'profiles', 'idempotency_keys', 'deltas', 'watched', 'retention'] as const

/**
 * The tenant's row and the little that is left. False where missions are there: some creation was under way when the removal
 * began. Whoever inserts something for the tenant meanwhile waits for its row, and is then refused by the foreign key.
 */
export async function removeRow(tx: RetentionTx, tenantId: string): Promise<boolean> {
  const locked = await tx.query('select from taskforce.tenants where id = $1 and deleted_at is not null for update', [
    tenantId,
  ])
  if (locked.rowCount === 0) return true
  // By a statement of its own, which sees what was committed while the first one waited.
  const missions = await tx.query('select from taskforce.missions where tenant_id = $1 limit 1', [tenantId])
  if (missions.rowCount !== 0) return false
  for (const table of REST) {
    await tx.query(`delete from taskforce.${table} where tenant_id = $1`, [tenantId])
  }
  await tx.query('delete from taskforce.tenants where id = $1', [tenantId])
  // In the same transaction: it is all that is left of the removal, and a restore goes by it.
  await tx.query(
    `insert into taskforce.upkeep (id, kind, started_at, ok, report)
     values (gen_random_uuid(), 'delete_tenant', now(), true, jsonb_build_object('tenantId', $1::text, 'gone', true))`,
    [tenantId],
  )
  return true
}
