import type { RetentionTx } from '../as-retention.ts'

/** Takes away keys of clients that are over a week old, so many at most. Gives how many. */
export async function removeOldKeys(tx: RetentionTx, limit: number): Promise<number> {
  const { rowCount } = await tx.query({
    name: 'retention_remove_old_keys',
    text: `
      delete from taskforce.idempotency_keys where (tenant_id, key) in (
        select tenant_id, key from taskforce.idempotency_keys
        where created_at < now() - interval '7 days' order by created_at limit $1)`,
    values: [limit],
  })
  return rowCount ?? 0
}

/**
 * Takes away profiles that no mission names. The newest of each name stays: it is what the next mission is created with, and
 * a creation in this very moment would find it gone between two looks.
 */
export async function removeUnusedProfiles(tx: RetentionTx): Promise<number> {
  const { rowCount } = await tx.query({
    name: 'retention_remove_profiles',
    text: `
      delete from taskforce.profiles p
      where p.created_at < now() - interval '1 day'
        and exists (
          select from taskforce.profiles n
          where n.tenant_id = p.tenant_id and n.name = p.name and n.created_at > p.created_at)
        and not exists (
          select from taskforce.missions m where m.tenant_id = p.tenant_id and m.profile_hash = p.hash)`,
  })
  return rowCount ?? 0
}

/** Takes away what was recorded of runs over 400 days ago; the newest of each kind stays, by which readiness goes. */
export async function removeOldUpkeep(tx: RetentionTx): Promise<number> {
  const { rowCount } = await tx.query({
    name: 'retention_remove_upkeep',
    text: `
      delete from taskforce.upkeep u
      where u.ended_at < now() - interval '400 days'
        and exists (select from taskforce.upkeep n where n.kind = u.kind and n.ok and n.ended_at > u.ended_at)`,
  })
  return rowCount ?? 0
}
