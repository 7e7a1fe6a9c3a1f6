import type { EngineDb } from '../connection.ts'

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
  await db.query('delete from taskforce.instances where id = $1', [id])
}

/** Removes rows of instances that died over an hour ago; nothing needs them. */
export async function forgetDead(db: EngineDb): Promise<void> {
  await db.query(`delete from taskforce.instances where alive_until < now() - interval '1 hour'`)
}

/** Of the missions that an instance holds, the ones it should stop working on, and those that have news. */
export interface Held {
  missionId: string
  epoch: number
  inbox: number
}

/**
 * The control poll: one statement for all held missions, which gives the rows of those still held.
 * A mission that is absent was taken over or has ended.
 */
export async function readHeld(db: EngineDb, instance: string, missionIds: readonly string[]): Promise<Held[]> {
  const { rows } = await db.query<Held>({
    name: 'instance_held',
    text: `
      select id as "missionId", epoch, inbox from taskforce.missions
      where id = any($2::uuid[]) and owner = $1 and ended_at is null`,
    values: [instance, missionIds],
  })
  return rows
}
