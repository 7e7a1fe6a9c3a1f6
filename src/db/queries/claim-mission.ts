import { EVENT_VERSION } from '../../domain/event.ts'
import type { JournalRow } from '../../domain/parse-event.ts'
import type { EngineDb } from '../connection.ts'

export interface Claim {
  missionId: string
  tenantId: string
  epoch: number
  profileHash: string
  inbox: number
  crashes: number
  /** The database's clock at the claim, milliseconds since 1970. */
  now: number
  /** Whether the claim itself recorded `mission.started`. */
  began: boolean
  /** The whole journal where it is short; undefined where it has to be read. */
  events: JournalRow[] | undefined
}

/** Longer journals are read by themselves: a claim holds a row's lock. */
const SHORT_JOURNAL = 64

/**
 * Takes the leases of the missions that should move next: highest priority first, then those that waited longest.
 * A mission is free when it has no owner or its owner's row has expired; a new epoch fences the old owner off.
 * Taking over from a dead owner that recorded nothing since its own claim counts as a crash. A mission that has only been
 * created is started by the claim, which saves it a statement and a commit.
 *
 * The statement may reach a row that another claim changed after this one's snapshot was taken. Postgres then looks at the
 * conditions again with the row's new columns, but with all other rows as they were (EvalPlanQual), and may take the new
 * owner for dead: 8 claimers took a quarter of 300 missions twice. The sub-select sees the old epoch then, and so differs.
 */
export async function claimMissions(db: EngineDb, instance: string, most: number): Promise<Claim[]> {
  const { rows } = await db.query<Omit<Claim, 'now' | 'events'> & { now: string; events: JournalRow[] | null }>({
    name: 'claim_missions',
    text: `
      with next as (
        select m.id, m.owner as dead, coalesce((
          select max(e.seq) from taskforce.events e where e.mission_id = m.id), 0) as seq
        from taskforce.missions m
        where m.wake_at <= now() and (m.owner is null or (
          not exists (select from taskforce.instances i where i.id = m.owner and i.alive_until > now())
          and m.epoch = (select seen.epoch from taskforce.missions seen where seen.id = m.id)
        ))
        order by m.priority desc, m.wake_at
        limit $2
        for update of m skip locked
      ), claimed as (
        update taskforce.missions m
        set owner = $1, epoch = m.epoch + 1, status = 'running', started_at = coalesce(m.started_at, now()),
            crashes = case when next.dead is not null and next.seq = m.claimed_seq then m.crashes + 1 else 0 end,
            claimed_seq = case when next.seq = 1 then 2 else next.seq end
        from next
        where m.id = next.id
        returning m.id, m.tenant_id, m.epoch, m.profile_hash, m.inbox, m.crashes, next.seq
      ), begun as (
        insert into taskforce.events (mission_id, seq, epoch, v, type, data, tenant_id)
        select id, 2, epoch, ${EVENT_VERSION}, 'mission.started', jsonb_build_object('instance', $1::text), tenant_id
        from claimed where seq = 1
        returning mission_id, seq, v, type, data, at
      )
      select c.id as "missionId", c.tenant_id as "tenantId", c.epoch, c.profile_hash as "profileHash", c.inbox, c.crashes,
        extract(epoch from clock_timestamp()) * 1000 as now,
        c.seq = 1 as began,
        (select jsonb_agg(jsonb_build_object('seq', seq, 'v', v, 'type', type, 'data', data,
           'at', trunc(extract(epoch from at) * 1000)) order by seq)
         from (
           select seq, v, type, data, at from taskforce.events e where e.mission_id = c.id and c.seq <= ${SHORT_JOURNAL}
           union all
           select seq, v, type, data, at from begun b where b.mission_id = c.id
         ) journal) as events
      from claimed c`,
    values: [instance, most],
  })
  return rows.map((row) => ({ ...row, now: Number(row.now), events: row.events ?? undefined }))
}

/** Whether a mission without an owner may move now, whoever has its row locked at this moment. */
export async function isAnyFree(db: EngineDb): Promise<boolean> {
  const { rows } = await db.query<{ free: boolean }>({
    name: 'any_free',
    text: 'select exists (select from taskforce.missions where wake_at <= now() and owner is null) as free',
  })
  return rows[0]?.free === true
}
