import { endMission } from '../db/queries/missions.ts'
import { summarise } from '../domain/summary.ts'
import { changeMission, type Changed } from './change-mission.ts'
import type { Caller, MissionsContext } from './context.ts'
import { Refusal } from './refusal.ts'

/**
 * Ends a mission now; work in flight is stopped within seconds and recorded no more. Cancelling twice does no harm.
 * @throws Refusal `illegal_state` for a mission that has completed or failed.
 */
export async function cancelMission(
  context: MissionsContext,
  caller: Caller,
  id: string,
  reason: string | undefined,
): Promise<Changed> {
  return changeMission(context, caller, id, {
    decide: ({ outcome }) => {
      if (outcome === undefined) return { type: 'mission.cancelled', data: { by: caller.name, reason } }
      if (outcome.status === 'cancelled') return undefined
      throw new Refusal('illegal_state', `The mission has already ${outcome.status}; there is nothing left to cancel.`)
    },
    apply: (tx, row, state) => endMission(tx, row.id, 'cancelled', summarise(state)),
  })
}
