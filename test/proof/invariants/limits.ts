import { limitReached } from '../../../src/domain/limits.ts'
import { ofSteps, type Invariant } from './facts.ts'

/** I14: with a limit of steps, tokens or costs reached, no model answers any more and nothing is begun. */
export const limits: Invariant = (subject) =>
  ofSteps(subject, ({ before, event }) => {
    if (event.type !== 'model.answered' && event.type !== 'tool.started') return undefined
    // What was under way when the mission's time ended is recorded all the same: without a time, time is no limit.
    const reached = limitReached(before, -Infinity)
    if (reached === undefined) return undefined
    const what = `Event ${event.seq} (${event.type}) came after the end of the budget: ${reached.message}`
    return { invariant: 'I14', counts: 'illegal', what }
  })
