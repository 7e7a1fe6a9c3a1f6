import { isDeepStrictEqual } from 'node:util'
import { decide } from '../../../src/domain/decide.ts'
import { fold } from '../../../src/domain/evolve.ts'
import { PLAN_TOOLS } from '../agent.ts'
import type { Violation } from '../history.ts'
import type { Subject, Whole } from './facts.ts'

/** What an instance that does nothing brings along, for the decision that follows from a journal alone. */
export const ONLOOKER = { instance: 'proof', tools: new Set(PLAN_TOOLS), inFlight: new Set<string>() }

/** The two pure functions that the engine lives by; the tests give others. */
export const DOMAIN = { fold, decide }

/**
 * I17: every journal can be folded, and folding it once more gives the same state and the same decision; with `deep`, every
 * prefix of it too. What folding it step by step has made must not have changed since.
 */
export function replay(subject: Subject, { bounds: { deep } }: Whole, domain = DOMAIN): Violation[] {
  const { id, events, parent, steps, unfoldable } = subject
  const say = (what: string): Violation => ({ invariant: 'I17', counts: 'illegal', missionId: id, what })
  if (unfoldable !== undefined) return [say(`The journal can't be folded: ${unfoldable}.`)]
  const now = events.at(-1)?.at ?? 0
  for (const { event, after } of deep ? steps : steps.slice(-1)) {
    const again = domain.fold(events.slice(0, event.seq), parent)
    if (!isDeepStrictEqual(again, after)) {
      return [say(`Folding the journal up to event ${event.seq} once more gives another state.`)]
    }
    const [one, other] = [after, again].map((state) => JSON.stringify(domain.decide(state, now, ONLOOKER)))
    if (one !== other) return [say(`The same ${event.seq} events lead to two decisions: ${one} and ${other}.`)]
  }
  return []
}
