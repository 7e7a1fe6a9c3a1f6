import type { EngineDb } from '../connection.ts'
import { DRAINING } from './drain.ts'

export interface DueMission {
  missionId: string
  tenantId: string
  /** Whole seconds until it may move; 0 when it may now. */
  inSeconds: number
}

/**
 * Missions without a living owner that may move before the next sweep, those that wait longest first, and one of each tenant
 * after the other: a wake is sent for every one of them, and a backlog must not keep the timers of others waiting. The
 * more instances died with a mission the later it comes: it may take with it whoever sends the wakes (seed 13499 of the
 * simulation). None while the deployment drains: whoever is woken would find nothing to do.
 */
export async function findDue(db: EngineDb, withinSeconds: number, limit: number): Promise<DueMission[]> {
  const { rows } = await db.query<DueMission>({
    name: 'find_due',
    text: `
      with due as (
        (select m.id, m.tenant_id, m.wake_at, m.crashes + (m.owner is not null)::int as crashes from taskforce.missions m
         where m.owner is null and m.wake_at is not null and m.status in ('queued', 'running'))
        union all
        select m.* from taskforce.tenants t cross join lateral (
          select m.id, m.tenant_id, m.wake_at, m.crashes + (m.owner is not null)::int as crashes from taskforce.missions m
          where m.tenant_id = t.id and m.owner is null and m.status = 'waiting'
            and m.wake_at <= now() + make_interval(secs => $1::float8)
          order by m.wake_at limit $2
        ) m
        union all
        (select m.id, m.tenant_id, m.wake_at, m.crashes + (m.owner is not null)::int as crashes from taskforce.missions m
         where m.owner is not null and m.owner not in (select i.id from taskforce.instances i where i.alive_until > now()))
      )
      select id as "missionId", tenant_id as "tenantId",
        greatest(0, ceil(extract(epoch from wake_at - now())))::int as "inSeconds"
      from due
      where wake_at <= now() + make_interval(secs => $1::float8) and not ${DRAINING}
      order by crashes, row_number() over (partition by tenant_id order by wake_at), wake_at
      limit $2`,
    values: [withinSeconds, limit],
  })
  return rows
}

/** Notes that a sweep runs now, unless one ran within `atLeastSeconds`; false then. One of several callers wins. */
export async function beginSweep(db: EngineDb, atLeastSeconds: number): Promise<boolean> {
  const { rowCount } = await db.query({
    name: 'begin_sweep',
    text: `
      insert into taskforce.facts (name, at) values ('last_sweep', now())
      on conflict (name) do update set at = now()
      where taskforce.facts.at <= now() - make_interval(secs => $1::float8)`,
    values: [atLeastSeconds],
  })
  return rowCount === 1
}

/** Milliseconds since the last sweep; undefined when there was none. */
export async function sweepAge(db: EngineDb): Promise<number | undefined> {
  const { rows } = await db.query<{ age: string }>({
    name: 'sweep_age',
    text: `select extract(epoch from now() - at) * 1000 as age from taskforce.facts where name = 'last_sweep'`,
  })
  return rows[0] === undefined ? undefined : Number(rows[0].age)
}
