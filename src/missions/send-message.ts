import { wakeMission } from '../db/queries/missions.ts'
import type { Idempotency } from './accept-mission.ts'
import { changeMission, type Changed } from './change-mission.ts'
import type { Caller, MissionsContext } from './context.ts'
import { saidOf } from './pause-mission.ts'
import { Refusal } from './refusal.ts'
import { wake } from './wake.ts'

/** Messages that may wait to be read. The model reads them all at once; more than this is no conversation. */
const MOST_UNREAD = 100

/**
 * Tells a mission something more. The model reads it when it is asked next, and the mission does not complete before that.
 * @param idempotency makes a repeat safe: a message that came through is not said twice
 * @throws Refusal `idempotency_conflict`, `illegal_state` for a mission that has ended, or where too many messages wait to be read.
 */
export async function sendMessage(
  context: MissionsContext,
  caller: Caller,
  id: string,
  content: string,
  idempotency?: Idempotency,
): Promise<Changed> {
  const changed = await changeMission(context, caller, id, {
    idempotency,
    decide: ({ outcome, mailbox }) => {
      if (outcome !== undefined) {
        const how = `Continue it with this text: POST /api/v1/missions/${id}/continue makes a new mission that goes on from it`
        throw new Refusal('illegal_state', `The mission has already ${saidOf(outcome)} and reads nothing more. ${how}.`)
      }
      if (mailbox.length >= MOST_UNREAD) {
        throw new Refusal('illegal_state', `${MOST_UNREAD} messages wait to be read. Send this one when they were.`)
      }
      return { type: 'mission.message', data: { role: 'user', content, by: caller.name } }
    },
    apply: (tx, row) => wakeMission(tx, row.id),
  })
  if (changed.changed) await wake(context, id)
  return changed
}
