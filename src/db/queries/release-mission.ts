import type { EngineDb } from '../connection.ts'
import { transitionValues, type Lease, type Transition } from './append-events.ts'

/**
 * Gives a lease back with the mission's new status. False when the lease is no longer held, or something came in from
 * outside since `inbox` was read: then the owner reads on in place of sleeping through it.
 */
export async function releaseMission(db: EngineDb, lease: Lease, inbox: number, change: Transition): Promise<boolean> {
  const { rowCount } = await db.query({
    name: 'release_mission',
    text: `
      update taskforce.missions
      set status = $5, wake_at = now() + make_interval(secs => $6::float8),
          owner = case when $7 then null else owner end,
          started_at = case when $8 then coalesce(started_at, now()) else started_at end,
          ended_at = case when $9 then now() else ended_at end,
          summary = coalesce($10::jsonb, summary)
      where id = $1 and epoch = $2 and owner = $3 and inbox = $4`,
    values: [lease.missionId, lease.epoch, lease.instance, inbox, ...transitionValues(change)],
  })
  return rowCount === 1
}

/** An owner that never lives: what it owns is free, and taking it over counts like taking over from an instance that died. */
const NOBODY = '00000000-0000-0000-0000-000000000000'

/** Gives up a mission that its living owner does not work on, after an error or a claim whose answer never came. */
export async function abandonMission(db: EngineDb, lease: Lease): Promise<void> {
  await db.query('update taskforce.missions set owner = $4 where id = $1 and epoch = $2 and owner = $3', [
    lease.missionId,
    lease.epoch,
    lease.instance,
    NOBODY,
  ])
}

/** How many events came from outside the lease so far; undefined when the lease is no longer held. */
export async function readInbox(db: EngineDb, lease: Lease): Promise<number | undefined> {
  const { rows } = await db.query<{ inbox: number }>(
    'select inbox from taskforce.missions where id = $1 and epoch = $2 and owner = $3',
    [lease.missionId, lease.epoch, lease.instance],
  )
  return rows[0]?.inbox
}
