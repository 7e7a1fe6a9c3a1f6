import { EVENT_VERSION } from '../../domain/event.ts'
import type { JournalRow } from '../../domain/parse-event.ts'
import type { EngineDb } from '../connection.ts'
import { DRAINING } from './drain.ts'

export interface Claim {
  missionId: string
  tenantId: string
  epoch: number
  profileHash: string
  inbox: number
  crashes: number
  /** Its tenant may have no more than so many on the move, so that its end makes room for another one. */
  limited: boolean
  /** The database's clock at the claim, milliseconds since 1970. */
  now: number
  /** Whether the claim itself recorded `mission.started`. */
  began: boolean
  /** The whole journal where it is short; undefined where it has to be read. */
  events: JournalRow[] | undefined
}

/** Longer journals are read by themselves: a claim holds a row's lock. */
const SHORT_JOURNAL = 64

/** How far past what is wanted a claim looks, for rows that others have locked. */
const SPARE = 16

/**
 * Crashes in a row from which on a mission is suspected to be what its instances die of. One of them at a time in an
 * instance: otherwise what lay beside it each time would be given up with it (seed 15942 of the simulation).
 */
export const SUSPECT_CRASHES = 2

/** Instances that live, by the database's clock. */
const LIVING = 'select i.id from taskforce.instances i where i.alive_until > now()'

/** Whether a tenant has a mission without an owner that may move now: a look at each of the two indexes. */
const hasFree = (tenant: string) => `(exists (
    select from taskforce.missions m
    where m.tenant_id = ${tenant} and m.owner is null and m.wake_at <= now() and m.status in ('queued', 'running')
  ) or exists (
    select from taskforce.missions m
    where m.tenant_id = ${tenant} and m.owner is null and m.wake_at <= now() and m.status = 'waiting'
  ))`

/** When each tenant had its last turn, in the virtual time of whoever asks; those that are not named had none lately. */
export interface Turns {
  tenants: readonly string[]
  tags: readonly number[]
}

export interface TurnTaken {
  tenantId: string
  weight: number
  /** The virtual time at which the claimed mission's turn began. */
  tag: number
}

/**
 * Takes the leases of the missions that should move next: tenants in turn by weight, none beyond its limit, and within a
 * tenant the highest priority first, then what waited longest. Nothing of a tenant that is being removed. A mission is free when it has no owner or its owner's row has
 * expired; a new epoch fences the old owner off. Taking over from a dead owner that recorded nothing since its own claim
 * counts as a crash. A mission that has only been created is started by the claim, which saves it a statement and a commit.
 *
 * The statement may reach a row that another claim changed after this one's snapshot was taken. Postgres then looks at the
 * conditions again with the row's new columns, but with all other rows as they were (EvalPlanQual), and may take the new
 * owner for dead: 8 claimers took a quarter of 300 missions twice. The sub-select sees the old epoch then, and so differs. The
 * same goes for an answer that came in between: it would be counted, and missing among the events.
 * For the same reason the row of a limited tenant with work counts the claims: whoever counted its running missions before another claim
 * was committed passes the tenant over.
 * While the deployment drains, no tenant has a turn.
 * @param suspect whether one that may be what its instances died of is wanted too; one at most is given
 */
export async function claimMissions(
  db: EngineDb,
  instance: string,
  most: number,
  turns: Turns = { tenants: [], tags: [] },
  suspect = true,
): Promise<(Claim & TurnTaken)[]> {
  const { rows } = await db.query<
    Omit<Claim & TurnTaken, 'now' | 'events'> & { now: string; events: JournalRow[] | null }
  >({
    name: 'claim_missions',
    text: `
      with drain as materialized (select ${DRAINING} as on), limited as (
        update taskforce.tenants t set turns = (t.turns + 1) % 1000000000
        from (
          select l.id from taskforce.tenants l
          where not (select d.on from drain d) and l.max_running is not null and l.deleted_at is null and l.turns = (select seen.turns from taskforce.tenants seen where seen.id = l.id)
            and (${hasFree('l.id')} or exists (
              select from taskforce.missions o where o.owner is not null and o.tenant_id = l.id and o.owner not in (${LIVING})))
          for no key update of l skip locked
        ) mine
        where t.id = mine.id
        returning t.id, t.weight, t.max_running
      ), turn as (
        select t.id, t.weight, coalesce(served.tag, 0) as tag, t.room
        from (
          select id, weight, null::bigint as room from taskforce.tenants where max_running is null and deleted_at is null
          union all
          select id, weight, max_running - (
            select count(*) from taskforce.missions r where r.tenant_id = limited.id and r.owner in (${LIVING}))
          from limited
        ) t
        left join unnest($3::uuid[], $4::float8[]) served(id, tag) on served.id = t.id
        where not (select d.on from drain d)
      ), free as (
        select c.* from turn cross join lateral (
          (select m.id, m.tenant_id, m.priority, m.wake_at, m.crashes from taskforce.missions m
           where m.tenant_id = turn.id and m.owner is null and m.wake_at <= now() and m.status in ('queued', 'running')
             and (m.crashes < ${SUSPECT_CRASHES} or $5)
           order by m.priority desc, m.wake_at limit $2 + ${SPARE})
          union all
          (select m.id, m.tenant_id, m.priority, m.wake_at, m.crashes from taskforce.missions m
           where m.tenant_id = turn.id and m.owner is null and m.wake_at <= now() and m.status = 'waiting'
             and (m.crashes < ${SUSPECT_CRASHES} or $5)
           order by m.wake_at limit $2 + ${SPARE})
        ) c
        where turn.room is null or turn.room > 0
        union all
        (select m.id, m.tenant_id, m.priority, m.wake_at, m.crashes + 1 from taskforce.missions m
         join turn on turn.id = m.tenant_id and (turn.room is null or turn.room > 0)
         where m.owner is not null and m.owner not in (${LIVING}) and m.wake_at <= now()
           and (m.crashes + 1 < ${SUSPECT_CRASHES} or $5)
         order by m.owner limit $2 + ${SPARE})
      ), in_turn as (
        select f.id, f.wake_at, turn.tag + (f.place - 1) / turn.weight::float8 as tag, turn.weight, turn.room is not null as limited
        from (
          select id, tenant_id, wake_at, row_number() over (partition by tenant_id order by priority desc, wake_at) as place
          from free
          where crashes < ${SUSPECT_CRASHES}
            or id = (select id from free where crashes >= ${SUSPECT_CRASHES} order by wake_at, id limit 1)
        ) f
        join turn on turn.id = f.tenant_id
        where turn.room is null or f.place <= turn.room
      ), next as (
        select m.id, m.owner as dead, in_turn.tag, in_turn.weight, in_turn.limited, coalesce((
          select max(e.seq) from taskforce.events e where e.mission_id = m.id), 0) as seq
        from in_turn join taskforce.missions m on m.id = in_turn.id
        where m.wake_at <= now() and (m.owner is null or m.owner not in (${LIVING}))
          and (m.epoch, m.inbox) = (select seen.epoch, seen.inbox from taskforce.missions seen where seen.id = m.id)
        order by in_turn.tag, in_turn.wake_at
        limit $2
        for update of m skip locked
      ), claimed as (
        update taskforce.missions m
        set owner = $1, epoch = m.epoch + 1, status = 'running', started_at = coalesce(m.started_at, now()),
            crashes = case when next.seq > m.claimed_seq then 0 when next.dead is null then m.crashes else m.crashes + 1 end,
            claimed_seq = case when next.seq = 1 then 2 else next.seq end
        from next
        where m.id = next.id
        returning m.id, m.tenant_id, m.epoch, m.profile_hash, m.inbox, m.crashes, next.seq, next.tag, next.weight, next.limited
      ), begun as (
        insert into taskforce.events (mission_id, seq, epoch, v, type, data, tenant_id)
        select id, 2, epoch, ${EVENT_VERSION}, 'mission.started', jsonb_build_object('instance', $1::text), tenant_id
        from claimed where seq = 1
        returning mission_id, seq, v, type, data, at
      )
      select c.id as "missionId", c.tenant_id as "tenantId", c.epoch, c.profile_hash as "profileHash", c.inbox, c.crashes,
        c.tag, c.weight, c.limited,
        extract(epoch from clock_timestamp()) * 1000 as now,
        c.seq = 1 as began,
        (select jsonb_agg(jsonb_build_object('seq', seq, 'v', v, 'type', type, 'data', data,
           'at', trunc(extract(epoch from at) * 1000)) order by seq)
         from (
           select seq, v, type, data, at from taskforce.events e where e.mission_id = c.id and c.seq <= ${SHORT_JOURNAL}
           union all
           select seq, v, type, data, at from begun b where b.mission_id = c.id
         ) journal) as events
      from claimed c
      order by c.tag`,
    values: [instance, most, turns.tenants, turns.tags, suspect],
  })
  return rows.map((row) => ({ ...row, now: Number(row.now), events: row.events ?? undefined }))
}

/**
 * Whether a mission without an owner may move now, whoever has its row locked at this moment, of a tenant that has room; none
 * may while the deployment drains.
 */
export async function isAnyFree(db: EngineDb): Promise<boolean> {
  const { rows } = await db.query<{ free: boolean }>({
    name: 'any_free',
    text: `
      select not ${DRAINING} and exists (
        select from taskforce.tenants t
        where t.deleted_at is null and (t.max_running is null or t.max_running > (
            select count(*) from taskforce.missions r where r.tenant_id = t.id and r.owner in (${LIVING})))
          and ${hasFree('t.id')}
      ) as free`,
  })
  return rows[0]?.free === true
}
