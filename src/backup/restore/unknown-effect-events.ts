import { stepKey } from '../../domain/call-events.ts'
import type { EventDraft } from '../../domain/event.ts'
import type { UnknownOutcomes } from '../../domain/profile.ts'
import type { CallState, MissionState } from '../../domain/state.ts'
import { unknownOutcome } from '../../domain/unknown-outcome.ts'
import type { BegunBy } from '../../engine/effect-claims.ts'

/** A call that acts once, was begun, and is not known to have begun by its mission's journal. */
export interface UnknownEffect {
  missionId: string
  /** Of the call within the mission. */
  key: string
  /** Undefined where its claim can't be read. */
  by: BegunBy | undefined
}

/** How a mission is told what the database was set back to. */
export interface SetBack {
  /** Such as `the backup taskforce_backup_20261129_020000`. */
  to: string
  policy: UnknownOutcomes
}

/** Of the calls whose answer the journal forgot: no call of the journal has this id, so that folding leaves all as it is. */
const FORGOTTEN = 'forgotten-'

/**
 * What is recorded of such calls of one mission: that nobody knows how each ended, a pause with what a person is to do, and
 * words for the model.
 *
 * Where the journal still has the answer that asked for the call, the call is one of its pending ones: it ends there as any
 * other unknown outcome does, by the mission's policy, and is not run. Where the answer itself is forgotten, the model will be
 * asked again and may want the same call again, under another key that no claim stands in the way of. There it reads, before it
 * answers, what it began and that it must not be made again unless it is known not to have happened.
 */
export function unknownEffectEvents(
  state: MissionState,
  effects: readonly UnknownEffect[],
  { to, policy }: SetBack,
): EventDraft[] {
  const events: EventDraft[] = []
  const forgotten: UnknownEffect[] = []
  for (const effect of effects) {
    const call = pendingCall(state, effect.key)
    const reason = `It was begun ${described(effect)}, and the database was then set back to ${to}, which does not know of it.`
    if (call !== undefined) {
      events.push(unknownOutcome(call.call, effect.key, policy, reason))
      continue
    }
    forgotten.push(effect)
    // A person deals with it, who is told by the pause; it is no step of this journal's.
    const data = { callId: `${FORGOTTEN}${effect.key}`, name: toolOf(effect), key: effect.key, reason }
    events.push({ type: 'tool.unknown', data: { ...data, policy: 'person' } })
  }
  if (forgotten.length > 0) events.push(wordsForTheModel(forgotten, to))
  if (!state.paused) events.push(pause(effects, to))
  return events
}

function pendingCall(state: MissionState, key: string): CallState | undefined {
  return state.calls.find((entry) => entry.status !== 'settled' && stepKey(state, entry) === key)
}

function wordsForTheModel(forgotten: readonly UnknownEffect[], to: string): EventDraft {
  const calls = forgotten.map((effect) => `- ${toolOf(effect)}, begun ${described(effect)}`).join('\n')
  const content = `[notice of the system] This conversation was set back to an earlier state (${to}). After that state you had begun the following calls, which it no longer shows; each may have happened, and nobody knows how it ended:
${calls}
Do not make such a call again unless you know that it did not happen: from a person's message, or because you looked. If you can't tell, ask.`
  return { type: 'mission.message', data: { role: 'user', content, by: 'restore' } }
}

function pause(effects: readonly UnknownEffect[], to: string): EventDraft {
  const calls = effects.map((effect) => `${toolOf(effect)} (call ${effect.key}), begun ${described(effect)}`).join('; ')
  const many =
    effects.length === 1 ? 'a call that acts once was begun' : `${effects.length} calls that act once were begun`
  const missionId = effects[0]?.missionId ?? ''
  const reason = `The database was set back to ${to}. Before that, ${many} which this journal does not know of: ${calls}. Nobody knows how that ended. Find out whether it happened, tell the mission in a message, then let it go on: npm run mission -- resume ${missionId}`
  return { type: 'mission.paused', data: { by: 'restore', reason } }
}

function toolOf({ by }: UnknownEffect): string {
  return by?.tool ?? 'unknown_tool'
}

function described({ by, key }: UnknownEffect): string {
  return by === undefined ? `as call ${key} (its claim can't be read)` : `at ${by.at} by the instance ${by.instance}`
}
