import type { RetentionTx } from '../as-retention.ts'

export const ENDED_STATUSES = ['completed', 'failed', 'cancelled'] as const
export type EndedStatus = (typeof ENDED_STATUSES)[number]

/** For how many days missions are kept that ended so. */
export interface KeepDays {
  status: EndedStatus
  days: number
}

/** Where a search goes on: behind this one. */
export interface Position {
  endedAt: string
  id: string
}

export const FIRST: Position = { endedAt: '-infinity', id: '00000000-0000-0000-0000-000000000000' }

/**
 * Nothing goes sooner than this after its end, whatever the policy says: who reads along sees how it ended, and no append that
 * was sent before the end is still under way when its number is free again.
 */
const SOONEST = `interval '10 minutes'`

const isOld = (endedAt: string, days: string) =>
  `${endedAt} < now() - greatest(make_interval(days => ${days}), ${SOONEST})`

export interface OldMission extends Position {
  /** Of its journal, as its row says. */
  events: number
}

/**
 * Locks missions of a tenant that ended longer ago than the days, the oldest first, passing over those whose rows somebody
 * holds, and those that another mission goes on from.
 */
export async function lockOld(
  tx: RetentionTx,
  { tenantId, status, days, after, limit }: KeepDays & { tenantId: string; after: Position; limit: number },
): Promise<OldMission[]> {
  const { rows } = await tx.query<OldMission>({
    name: 'retention_lock_old',
    text: `
      select m.id, m.ended_at::text as "endedAt", coalesce((m.summary->>'lastSeq')::int, 0) as events
      from taskforce.missions m
      where m.tenant_id = $1 and m.status = $2 and ${isOld('m.ended_at', '$3::int')}
        and (m.ended_at, m.id) > ($4::timestamptz, $5::uuid)
        and not exists (select from taskforce.missions f where f.forked_from = m.id)
      order by m.ended_at, m.id
      limit $6
      for update of m skip locked`,
    values: [tenantId, status, days, after.endedAt, after.id, limit],
  })
  return rows
}

/**
 * Tables of a statement `with recursive`: of the tenant $1, what ended longer ago than the days $3 for the statuses $2, and
 * what missions that stay go on from, directly or not.
 */
export const OLD_AND_NEEDED = `
      old as (
        select m.id, m.status from taskforce.missions m join unnest($2::text[], $3::int[]) k(status, days) using (status)
        where m.tenant_id = $1 and ${isOld('m.ended_at', 'k.days')}
      ), needed as (
        select m.forked_from as id from taskforce.missions m
        where m.tenant_id = $1 and m.forked_from is not null and m.id not in (select id from old)
        union
        select m.forked_from from needed join taskforce.missions m on m.id = needed.id where m.forked_from is not null
      )`

/** How many of a tenant's missions are old, and how many of these are needed by others that are not, directly or not. */
export async function countOld(
  tx: RetentionTx,
  tenantId: string,
  keep: readonly KeepDays[],
): Promise<{ status: EndedStatus; old: number; needed: number }[]> {
  const { rows } = await tx.query<{ status: EndedStatus; old: number; needed: number }>({
    name: 'retention_count_old',
    text: `
      with recursive ${OLD_AND_NEEDED}
      select status, count(*)::int as old, (count(*) filter (where id in (select id from needed)))::int as needed
      from old group by status order by status`,
    values: [tenantId, keep.map(({ status }) => status), keep.map(({ days }) => days)],
  })
  return rows
}

export interface Removed {
  missions: number
  events: number
  keys: number
}

/** Events that one statement takes away: 5,000 of 2 kB take 0.2 s at most. */
export const EVENTS_AT_ONCE = 5_000

/**
 * Takes missions away, with their events, keys and previews, in the caller's transaction: a reader sees all of a mission or
 * nothing of it. The caller has locked their rows; a fork that was committed before that is looked for once more, since the
 * statement that locked them did not see it (and one that is still under way waits for the lock, then finds no mission).
 * @param ids of one tenant's missions
 * @param evenForked also those that others go on from: all of the tenant goes
 */
export async function removeMissions(
  tx: RetentionTx,
  tenantId: string,
  ids: readonly string[],
  { evenForked = false } = {},
): Promise<Removed> {
  const free = evenForked ? ids : await withoutForks(tx, ids)
  if (free.length === 0) return { missions: 0, events: 0, keys: 0 }
  const events = await removeEvents(tx, tenantId, free)
  const keys = await removeFrom(tx, 'idempotency_keys', tenantId, free)
  await removeFrom(tx, 'deltas', tenantId, free)
  await removeFrom(tx, 'watched', tenantId, free)
  const { rowCount } = await tx.query({
    name: 'retention_remove_missions',
    text: 'delete from taskforce.missions where tenant_id = $1 and id = any($2::uuid[])',
    values: [tenantId, free],
  })
  return { missions: rowCount ?? 0, events, keys }
}

async function withoutForks(tx: RetentionTx, ids: readonly string[]): Promise<string[]> {
  const { rows } = await tx.query<{ id: string }>({
    name: 'retention_without_forks',
    text: `
      select u.id from unnest($1::uuid[]) u(id)
      where not exists (select from taskforce.missions f where f.forked_from = u.id)`,
    values: [ids],
  })
  return rows.map(({ id }) => id)
}

/** Gives how many there were. */
export async function removeEvents(tx: RetentionTx, tenantId: string, ids: readonly string[]): Promise<number> {
  const { rows } = await tx.query<{ last: number }>({
    name: 'retention_last_seq',
    text: 'select coalesce(max(seq), 0) as last from taskforce.events where mission_id = any($1::uuid[])',
    values: [ids],
  })
  let removed = 0
  for (let after = 0; after < (rows[0]?.last ?? 0); after += EVENTS_AT_ONCE) {
    const { rowCount } = await tx.query({
      name: 'retention_remove_events',
      text: `
        delete from taskforce.events
        where mission_id = any($2::uuid[]) and tenant_id = $1 and seq > $3::int and seq <= $3::int + ${EVENTS_AT_ONCE}`,
      values: [tenantId, ids, after],
    })
    removed += rowCount ?? 0
  }
  return removed
}

async function removeFrom(
  tx: RetentionTx,
  table: 'idempotency_keys' | 'deltas' | 'watched',
  tenantId: string,
  ids: readonly string[],
): Promise<number> {
  const { rowCount } = await tx.query({
    name: `retention_remove_${table}`,
    text: `delete from taskforce.${table} where tenant_id = $1 and mission_id = any($2::uuid[])`,
    values: [tenantId, ids],
  })
  return rowCount ?? 0
}
