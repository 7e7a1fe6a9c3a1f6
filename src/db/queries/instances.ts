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

export interface Owned {
  missionId: string
  epoch: number
}

/** The control poll: what an instance owns by the database. What it works on and is not here was taken over or has ended. */
export async function readOwned(db: EngineDb, instance: string): Promise<Owned[]> {
  const { rows } = await db.query<Owned>({
    name: 'instance_owned',
    text: 'select id as "missionId", epoch from taskforce.missions where owner = $1',
    values: [instance],
  })
  return rows
}
