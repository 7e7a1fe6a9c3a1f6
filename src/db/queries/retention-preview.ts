import type { RetentionTx } from '../as-retention.ts'
import { OLD_AND_NEEDED, type EndedStatus, type KeepDays, type Removed } from './retention-missions.ts'
import { OLD_KEY, OLD_UPKEEP, UNUSED_PROFILE } from './retention-rest.ts'

/** What of a tenant's missions would go that ended in one way. */
export interface EndedPreview extends Removed {
  status: EndedStatus
  ids: string[]
}

/** What `lockOld` and `removeMissions` would take away until nothing is left for them; events as the missions' rows say. */
export async function previewEnded(
  tx: RetentionTx,
  tenantId: string,
  keep: readonly KeepDays[],
): Promise<EndedPreview[]> {
  const { rows } = await tx.query<EndedPreview>({
    name: 'retention_preview_ended',
    text: `
      with recursive ${OLD_AND_NEEDED}
      select m.status, array_agg(m.id) as ids, count(*)::int as missions,
        coalesce(sum((m.summary->>'lastSeq')::int), 0)::int as events,
        coalesce(sum((
          select count(*) from taskforce.idempotency_keys k where k.tenant_id = $1 and k.mission_id = m.id)), 0)::int as keys
      from taskforce.missions m join old using (id)
      where m.id not in (select id from needed) group by m.status`,
    values: [tenantId, keep.map(({ status }) => status), keep.map(({ days }) => days)],
  })
  return rows
}

/** What a tenant that is being removed still has. */
export async function previewTenant(
  tx: RetentionTx,
  tenantId: string,
): Promise<{ missions: number; events: number; contents: number; bytes: number }> {
  const { rows } = await tx.query<{ missions: number; events: number; contents: number; bytes: number }>({
    name: 'retention_preview_tenant',
    text: `
      select (select count(*)::int from taskforce.missions where tenant_id = $1) as missions,
        (select count(*)::int from taskforce.events e
         where e.mission_id in (select id from taskforce.missions where tenant_id = $1)) as events,
        count(*)::int as contents, coalesce(sum(octet_length(bytes)), 0)::float as bytes
      from taskforce.contents where tenant_id = $1`,
    values: [tenantId],
  })
  return rows[0] ?? { missions: 0, events: 0, contents: 0, bytes: 0 }
}

/**
 * What would go of the rest, once missions are gone and tenants whose removal has begun.
 * @param gone the missions
 */
export async function previewRest(
  tx: RetentionTx,
  gone: readonly string[],
): Promise<{ keys: number; profiles: number; upkeep: number }> {
  const { rows } = await tx.query<{ keys: number; profiles: number; upkeep: number }>({
    name: 'retention_preview_rest',
    text: `
      select (
          select count(*)::int from taskforce.idempotency_keys k
          where ${OLD_KEY} and k.mission_id <> all($1::uuid[])
            and not exists (select from taskforce.tenants t where t.id = k.tenant_id and t.deleted_at is not null)) as keys,
        (select count(*)::int from taskforce.profiles p where ${UNUSED_PROFILE}) as profiles,
        (select count(*)::int from taskforce.upkeep u where ${OLD_UPKEEP}) as upkeep`,
    values: [gone],
  })
  return rows[0] ?? { keys: 0, profiles: 0, upkeep: 0 }
}
