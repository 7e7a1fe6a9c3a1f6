import { endsJournal, type MissionEvent } from '../domain/event.ts'
import { Refusal } from './refusal.ts'

/** How a new mission goes on from another one. */
export type BranchRequest =
  { how: 'retry' } | { how: 'continue'; content: string } | { how: 'fork'; content?: string; seq?: number }

/**
 * The number of the event that a new mission goes on from.
 * @param journal the other mission's own events, all of them
 * @throws Refusal `illegal_state` where the other mission is not in a state for that, `invalid_request` for a `seq` out of range.
 */
export function branchPoint(journal: readonly MissionEvent[], request: BranchRequest): number {
  const last = journal.at(-1)
  const ended = last !== undefined && endsJournal(last.type)
  const newest = ended ? journal.length - 1 : journal.length
  if (request.how === 'fork') return chosen(request.seq ?? newest, newest)
  if (!ended) throw stillOpen(request.how)
  if (request.how === 'continue') return newest
  if (last.type === 'mission.completed') {
    const use = 'Use "continue" to go on from its result, or "fork" to go on from an earlier event'
    throw new Refusal('illegal_state', `The mission has completed; there is nothing to try again. ${use}.`)
  }
  return beforeFatalSilence(journal) ?? newest
}

function chosen(seq: number, newest: number): number {
  if (seq <= newest) return seq
  const detail = `must be from 1 to ${newest}, the last event that can be gone on from`
  throw new Refusal('invalid_request', 'The mission has no such event to go on from.', [{ pointer: '/seq', detail }])
}

/** Where a mission failed because nobody answered a question in time: before it expired, so that it is asked again. */
function beforeFatalSilence(journal: readonly MissionEvent[]): number | undefined {
  const fatal = new Set<string>()
  for (const { seq, type, data } of journal) {
    if (type === 'question.asked' && data.onDeadline.action === 'fail') fatal.add(data.questionId)
    if (type === 'question.expired' && fatal.has(data.questionId)) return seq - 1
  }
  return undefined
}

function stillOpen(how: 'retry' | 'continue'): Refusal {
  const instead =
    how === 'retry'
      ? 'Cancel it first, or use "fork" for a second one beside it'
      : 'Send it a message, which it reads at its next step, or use "fork" for a second one beside it'
  return new Refusal('illegal_state', `The mission has not ended. ${instead}.`)
}
