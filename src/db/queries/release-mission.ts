import type { EngineDb } from '../connection.ts'
import type { Lease } from './append-events.ts'

/** An owner that never lives: what it owns is free, and taking it over counts like taking over from an instance that died. */
const NOBODY = '00000000-0000-0000-0000-000000000000'

/** Gives up a mission that its living owner failed on. */
export async function abandonMission(db: EngineDb, lease: Lease): Promise<void> {
  await db.query({
    name: 'abandon_mission',
    text: 'update taskforce.missions set owner = $4 where id = $1 and epoch = $2 and owner = $3',
    values: [lease.missionId, lease.epoch, lease.instance, NOBODY],
  })
}

/**
 * Gives back a mission on which its living owner came to nothing for the database's sake, or which it never began since the
 * answer to its claim did not come: it has no owner then, so that the
 * next claim counts no crash, and moves again after so many seconds, so that it does not go in a circle meanwhile.
 */
export async function excuseMission(db: EngineDb, lease: Lease, pauseSeconds: number): Promise<void> {
  await db.query({
    name: 'excuse_mission',
    text: `
      update taskforce.missions set owner = null, wake_at = now() + make_interval(secs => $4::float8)
      where id = $1 and epoch = $2 and owner = $3`,
    values: [lease.missionId, lease.epoch, lease.instance, pauseSeconds],
  })
}

/** How many events came from outside the lease so far; undefined when the lease is no longer held. */
export async function readInbox(db: EngineDb, lease: Lease): Promise<number | undefined> {
  const { rows } = await db.query<{ inbox: number }>({
    name: 'read_inbox',
    text: 'select inbox from taskforce.missions where id = $1 and epoch = $2 and owner = $3',
    values: [lease.missionId, lease.epoch, lease.instance],
  })
  return rows[0]?.inbox
}
