import { TerminalError } from './errors.ts'
import type { FileRef } from './event.ts'
import { newState, type Created } from './new-state.ts'
import { failCall } from './settle-call.ts'
import type { CallState, MissionState, Turn } from './state.ts'
import { toldUnknown } from './unknown-outcome.ts'

/** Branches of branches: each one more costs a read whenever one of them is folded. */
export const MOST_GENERATIONS = 100

/** What a branch has of the mission that it goes on from: all that the model knows, and the workspace. */
interface Inherited {
  turns: Turn[]
  mailbox: MissionState['mailbox']
  final: boolean
  calls: CallState[]
  timers: MissionState['timers']
  plan: MissionState['plan']
  inputs: FileRef[]
  files: FileRef[]
  fileWriters: MissionState['fileWriters']
  sources: MissionState['sources']
  lastText: string
}

/**
 * The first state of a mission that goes on from another one; pure. Numbers, usage, limits and counters begin anew, and what
 * the model knows stays.
 * @param parent the state after the events that both share
 * @throws TerminalError `journal_gap` where that is not the state that the event names.
 */
export function branch(parent: MissionState, event: Created): MissionState {
  const { forkedFrom, said, begun = [] } = event.data
  if (event.seq !== 1 || forkedFrom?.seq !== parent.seq) {
    const wanted = forkedFrom === undefined ? 'no other mission' : `event ${forkedFrom.seq} of ${forkedFrom.id}`
    throw new TerminalError('journal_gap', `The journal goes on from ${wanted}, and event ${parent.seq} was read`)
  }
  const generation = parent.generation + 1
  const known = withBegun(parent, begun)
  return {
    ...newState(event),
    generation,
    ...inherited(said === undefined ? withOpenCalls(known) : heard(known, said)),
  }
}

function inherited(state: MissionState): Inherited {
  const { turns, mailbox, final, calls, timers, plan, inputs, files, fileWriters, sources, lastText } = state
  // Numbers of the other journal mean nothing in this one: what was not read yet came with the first event.
  const unread = mailbox.map((message) => ({ ...message, seq: 1 }))
  return { turns, mailbox: unread, final, calls, timers, plan, inputs, files, fileWriters, sources, lastText }
}

/** Where a branch goes on from an earlier event, the other mission may have made since what was pending there. */
function withBegun(state: MissionState, begun: readonly string[]): MissionState {
  const calls = state.calls.map((entry): CallState => {
    return entry.status === 'pending' && begun.includes(entry.call.id) ? { ...entry, status: 'started' } : entry
  })
  return { ...state, calls }
}

/**
 * Calls that were under way when the journals parted. A call that began stays so, and its outcome is unknown; a sleeping one
 * keeps its time. Questions are asked anew: whoever reads this journal along has to see them, and their ids belong to the other one.
 */
function withOpenCalls(state: MissionState): MissionState {
  return { ...state, calls: state.calls.map((entry) => (entry.status === 'asked' ? unasked(entry) : entry)) }
}

/** Without its question, a call that was interrupted is as unknown as before, and must not be run again. */
function unasked(entry: CallState): CallState {
  return { ...entry, status: entry.interrupted === undefined ? 'pending' : 'unknown' }
}

/**
 * With a person's new words nothing is done any more that the model wanted before it read them: somebody who cancels a mission
 * and goes on with "don't send it" must not see it sent.
 */
function heard(parent: MissionState, said: string): MissionState {
  let state: MissionState = { ...parent, timers: [] }
  for (const { call, status, interrupted } of parent.calls) {
    if (status === 'settled' || status === 'started') continue
    state = failCall(state, call.id, interrupted === undefined ? NOT_RUN : toldUnknown(interrupted))
  }
  return { ...state, mailbox: [...state.mailbox, { seq: 1, content: said }] }
}

const NOT_RUN =
  'This call was not carried out: the user wrote something new first, which follows. Make it again if it is still wanted.'
