import type { EngineDb } from '../connection.ts'
import { DRAINING } from './drain.ts'

export interface InstanceFacts {
  id: string
  version: string
  host: string
}

/** Says that an instance lives for `leaseSeconds` from now, by the database's clock. */
export async function beat(db: EngineDb, instance: InstanceFacts, leaseSeconds: number): Promise<void> {
  await db.query({
    name: 'instance_beat',
    text: `
      insert into taskforce.instances (id, alive_until, version, host)
      values ($1, now() + make_interval(secs => $2::float8), $3, $4)
      on conflict (id) do update set alive_until = excluded.alive_until`,
    values: [instance.id, leaseSeconds, instance.version, instance.host],
  })
}

/** Takes an instance's row away at a clean end, so that nobody waits for it to expire. */
export async function leave(db: EngineDb, id: string): Promise<void> {
  await db.query({ name: 'instance_leave', text: 'delete from taskforce.instances where id = $1', values: [id] })
}

/** Removes rows of instances that died over an hour ago; nothing needs them. */
export async function forgetDead(db: EngineDb): Promise<void> {
  await db.query({
    name: 'forget_dead',
    text: `delete from taskforce.instances where alive_until < now() - interval '1 hour'`,
  })
}

export interface Owned {
  missionId: string
  epoch: number
  /** Events from outside so far: answers, messages, a pause. */
  inbox: number
  /** Somebody reads along. */
  watched: boolean
}

export interface Poll {
  owned: Owned[]
  /** Missions whose owner does not live any more, at most 100: they are there to be claimed. */
  orphans: number
  /** The deployment drains: what runs is to be handed over. */
  draining: boolean
}

type Row = Omit<Owned, 'missionId'> & { missionId: string | null; orphans: number; draining: boolean }

/**
 * The control poll: what an instance owns by the database, in one statement for all. What it works on and is not here was
 * taken over or has ended.
 */
export async function pollControl(db: EngineDb, instance: string): Promise<Poll> {
  const { rows } = await db.query<Row>({
    name: 'control_poll',
    text: `
      select m.id as "missionId", m.epoch, m.inbox, coalesce(w.until > now(), false) as watched, dead.orphans, dead.draining
      from (
        select count(*)::int as orphans, ${DRAINING} as draining from (
          select from taskforce.missions o where o.owner is not null and o.wake_at <= now()
            and o.owner not in (select i.id from taskforce.instances i where i.alive_until > now())
          order by o.owner limit 100
        ) found
      ) dead
      left join taskforce.missions m on m.owner = $1
      left join taskforce.watched w on w.mission_id = m.id`,
    values: [instance],
  })
  return {
    owned: rows.flatMap(({ missionId, epoch, inbox, watched }) =>
      missionId === null ? [] : [{ missionId, epoch, inbox, watched }],
    ),
    orphans: rows[0]?.orphans ?? 0,
    draining: rows[0]?.draining === true,
  }
}
