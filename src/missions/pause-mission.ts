import { pauseMission as pauseRow, resumeMission as resumeRow } from '../db/queries/missions.ts'
import type { EventDraft } from '../domain/event.ts'
import type { MissionState } from '../domain/state.ts'
import { summarise } from '../domain/summary.ts'
import { changeMission, type Changed } from './change-mission.ts'
import type { Caller, MissionsContext } from './context.ts'
import { Refusal } from './refusal.ts'
import { wake } from './wake.ts'

/**
 * Lays a mission down until it is resumed: steps that are under way may end and are recorded, nothing new begins. Pausing
 * twice does no harm.
 * @throws Refusal `illegal_state` for a mission that has ended.
 */
export async function pauseMission(
  context: MissionsContext,
  caller: Caller,
  id: string,
  reason: string | undefined,
): Promise<Changed> {
  return changeMission(context, caller, id, {
    decide: (state) => toggle(state, false, { type: 'mission.paused', data: { by: caller.name, reason } }),
    apply: (tx, row, state) => pauseRow(tx, row.id, summarise(state)),
  })
}

/**
 * Lets a paused mission go on. What became due in the pause (timers, deadlines of questions) takes effect now.
 * @throws Refusal `illegal_state` for a mission that has ended.
 */
export async function resumeMission(
  context: MissionsContext,
  caller: Caller,
  id: string,
  reason: string | undefined,
): Promise<Changed> {
  const result = await changeMission(context, caller, id, {
    decide: (state) => toggle(state, true, { type: 'mission.resumed', data: { by: caller.name, reason } }),
    apply: (tx, row) => resumeRow(tx, row.id),
  })
  if (result.changed) await wake(context, id)
  return result
}

/** The event where the mission is as it has to be for that, undefined where it was done before. */
function toggle({ outcome, paused }: MissionState, from: boolean, event: EventDraft): EventDraft | undefined {
  if (outcome === undefined) return paused === from ? event : undefined
  const what = from ? 'resume' : 'pause'
  throw new Refusal('illegal_state', `The mission has already ${saidOf(outcome)}; there is nothing left to ${what}.`)
}

/** For sentences with "has". */
export function saidOf({ status }: { status: string }): string {
  return status === 'cancelled' ? 'been cancelled' : status
}
