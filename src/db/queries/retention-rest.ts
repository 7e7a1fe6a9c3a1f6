import type { RetentionTx } from '../as-retention.ts'

export const OLD_KEY = `created_at < now() - interval '7 days'`

/** Takes away keys of clients that are over a week old, so many at most. Gives how many. */
export async function removeOldKeys(tx: RetentionTx, limit: number): Promise<number> {
  const { rowCount } = await tx.query({
    name: 'retention_remove_old_keys',
    text: `
      delete from taskforce.idempotency_keys where (tenant_id, key) in (
        select tenant_id, key from taskforce.idempotency_keys
        where ${OLD_KEY} order by created_at limit $1)`,
    values: [limit],
  })
  return rowCount ?? 0
}

/** Of `profiles p`, as if the missions $1 were gone. What is left of a tenant that is being removed goes with it. */
export const UNUSED_PROFILE = `
        p.created_at < now() - interval '1 day'
        and exists (
          select from taskforce.profiles n
          where n.tenant_id = p.tenant_id and n.name = p.name and n.created_at > p.created_at)
        and not exists (
          select from taskforce.missions m
          where m.tenant_id = p.tenant_id and m.profile_hash = p.hash and m.id <> all($1::uuid[]))
        and not exists (select from taskforce.tenants t where t.id = p.tenant_id and t.deleted_at is not null)`

/**
 * Takes away profiles that no mission names. The newest of each name stays: it is what the next mission is created with, and
 * a creation in this very moment would find it gone between two looks.
 */
export async function removeUnusedProfiles(tx: RetentionTx): Promise<number> {
  const { rowCount } = await tx.query({
    name: 'retention_remove_profiles',
    text: `
      delete from taskforce.profiles p where ${UNUSED_PROFILE}`,
    values: [[]],
  })
  return rowCount ?? 0
}

/** Of `upkeep u`. */
export const OLD_UPKEEP = `
        u.ended_at < now() - interval '400 days'
        and not (u.kind = 'delete_tenant' and u.ok)
        and exists (select from taskforce.upkeep n where n.kind = u.kind and n.ok and n.ended_at > u.ended_at)`

/**
 * Takes away what was recorded of runs over 400 days ago; the newest of each kind stays, by which readiness goes. What says that
 * a tenant was removed stays for good: a backup that is held has it for as long, and a restore would bring it back.
 */
export async function removeOldUpkeep(tx: RetentionTx): Promise<number> {
  const { rowCount } = await tx.query({
    name: 'retention_remove_upkeep',
    text: `
      delete from taskforce.upkeep u where ${OLD_UPKEEP}`,
  })
  return rowCount ?? 0
}
