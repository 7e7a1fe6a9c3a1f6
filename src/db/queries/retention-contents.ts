import type { RetentionTx } from '../as-retention.ts'

export interface StoredContent {
  tenantId: string
  sha256: string
  bytes: number
}

/** Of the first search for contents: the database's time a day before it, as text with its microseconds. */
export type Cutoff = string

/**
 * Contents that were stored last over a day ago, by chance where there are more than the limit: each has its turn some day. Those of a tenant that is being removed go with it. A
 * mission's event names a file within minutes of its being stored, or its owner has lost the mission: what no event names by
 * now is named by none.
 */
export async function findOldContents(
  tx: RetentionTx,
  limit: number,
): Promise<{ cutoff: Cutoff; found: StoredContent[] }> {
  const { rows: times } = await tx.query<{ cutoff: Cutoff }>(`select (now() - interval '1 day')::text as cutoff`)
  const cutoff = times[0]?.cutoff ?? '-infinity'
  const { rows } = await tx.query<StoredContent>({
    name: 'retention_old_contents',
    text: `
      select tenant_id as "tenantId", sha256, octet_length(bytes) as bytes
      from taskforce.contents c
      where created_at < $1::timestamptz
        and not exists (select from taskforce.tenants t where t.id = c.tenant_id and t.deleted_at is not null)
      order by random() limit $2`,
    values: [cutoff, limit],
  })
  return { cutoff, found: rows }
}

/** Takes away those that were not stored again since, which a running mission may be about to name. */
export async function removeContents(
  tx: RetentionTx,
  contents: readonly StoredContent[],
  cutoff: Cutoff,
): Promise<{ removed: number; bytes: number }> {
  const { rows } = await tx.query<{ bytes: number }>({
    name: 'retention_remove_contents',
    text: `
      delete from taskforce.contents c using unnest($1::uuid[], $2::text[]) u(tenant_id, sha256)
      where c.tenant_id = u.tenant_id and c.sha256 = u.sha256 and c.created_at < $3::timestamptz
      returning octet_length(c.bytes) as bytes`,
    values: [contents.map(({ tenantId }) => tenantId), contents.map(({ sha256 }) => sha256), cutoff],
  })
  return { removed: rows.length, bytes: rows.reduce((sum, row) => sum + row.bytes, 0) }
}

export interface EventPosition {
  missionId: string
  seq: number
}

/** A row of a page of all events: one that names contents, one whose mission is gone, or the page's last. */
export interface NamingEvent extends EventPosition {
  tenantId: string
  /** Every member `sha256` at any depth, so that an event of a newer build than this one counts too. */
  names: string[]
  orphan: boolean
}

/** A page of all events in the order of their key; empty behind the last. */
export async function readNames(tx: RetentionTx, after: EventPosition, limit: number): Promise<NamingEvent[]> {
  const { rows } = await tx.query<NamingEvent>({
    name: 'retention_read_names',
    text: `
      with page as (
        select mission_id, seq, tenant_id, data from taskforce.events
        where (mission_id, seq) > ($1::uuid, $2::int) order by mission_id, seq limit $3
      ), read as (
        select p.mission_id, p.seq, p.tenant_id,
          array(select n #>> '{}' from jsonb_path_query(p.data, 'lax $.**.sha256') n) as names,
          not exists (select from taskforce.missions m where m.id = p.mission_id) as orphan,
          row_number() over (order by p.mission_id desc, p.seq desc) = 1 as last
        from page p
      )
      select mission_id as "missionId", seq, tenant_id as "tenantId", names, orphan
      from read where last or orphan or names <> '{}'
      order by mission_id, seq`,
    values: [after.missionId, after.seq, limit],
  })
  return rows
}

/** Takes away events of missions that are gone: of appends that were under way while their tenant was being removed. */
export async function removeOrphans(tx: RetentionTx, missionIds: readonly string[]): Promise<number> {
  const { rowCount } = await tx.query({
    name: 'retention_remove_orphans',
    text: `
      delete from taskforce.events e
      where e.mission_id = any($1::uuid[]) and not exists (select from taskforce.missions m where m.id = e.mission_id)`,
    values: [missionIds],
  })
  return rowCount ?? 0
}
