import type { EngineDb } from '../db/connection.ts'
import { forgetOldDeltas } from '../db/queries/deltas.ts'
import { forgetDead } from '../db/queries/instances.ts'
import { beginSweep, findDue } from '../db/queries/sweep.ts'
import { forgetUnwatched } from '../db/queries/watched.ts'
import type { Telemetry } from '../telemetry/events.ts'
import type { Wakes } from './ports.ts'

/** What one sweep looks ahead: until the next one, which comes every minute, and a little more. */
const HORIZON_SECONDS = 65
const MOST = 1_000
/** Two sweeps missed: timers of Flex Consumption have been seen to stop for good, so whoever is awake does their work then. */
export const SWEEP_LATE_SECONDS = 120

/**
 * Sends a wake for every mission that may move before the next sweep and has no living owner: lost wakes, timers, question
 * deadlines, and missions of instances that died. Safe to run twice, anywhere.
 * @param atLeastSeconds how long ago the last one must have been
 */
export async function sweep(
  context: { db: EngineDb; wakes: Wakes; telemetry: Telemetry },
  atLeastSeconds = 1,
): Promise<{ due: number }> {
  const { db, wakes, telemetry } = context
  if (!(await beginSweep(db, atLeastSeconds))) {
    telemetry.swept({ due: 0, skipped: true })
    return { due: 0 }
  }
  const due = await findDue(db, HORIZON_SECONDS, MOST)
  for (const { missionId, inSeconds } of due) await wakes.send(missionId, inSeconds)
  await forgetDead(db)
  await forgetOldDeltas(db)
  await forgetUnwatched(db)
  telemetry.swept({ due: due.length, skipped: false })
  return { due: due.length }
}
