import { stepKey } from '../../../src/domain/call-events.ts'
import { finalAnswerIsThere } from '../../../src/domain/limits.ts'
import type { CallState } from '../../../src/domain/state.ts'
import type { Violation } from '../history.ts'
import { ofSteps, type Invariant, type Step } from './facts.ts'

type Found = Omit<Violation, 'missionId'> | undefined

/** What may be recorded of a call in each of its states; what a person or a timer settles is looked at elsewhere. */
const MAY_FOLLOW: Readonly<Record<string, readonly CallState['status'][]>> = {
  'tool.started': ['pending'],
  'tool.finished': ['pending', 'started'],
  'tool.failed': ['pending', 'started'],
  'tool.unknown': ['started'],
  'plan.updated': ['pending'],
  'timer.set': ['pending'],
  'question.asked': ['pending', 'unknown'],
}

/** Recorded while a mission is paused: facts, what comes from outside, and the end of one that can't go on. */
const IN_A_PAUSE: ReadonlySet<string> = new Set([
  'model.answered',
  'model.failed',
  'tool.finished',
  'tool.failed',
  'tool.unknown',
  'question.answered',
  'mission.message',
  'mission.resumed',
  'mission.failed',
  'mission.cancelled',
])

/** Known before the first step. */
const BEFORE_START: ReadonlySet<string> = new Set([
  'mission.started',
  'mission.message',
  'mission.paused',
  'mission.resumed',
  'mission.failed',
  'mission.cancelled',
])

/** I3: one result for each call and one answer for each turn. */
export const steps: Invariant = (subject) => ofSteps(subject, (step) => aboutCall(step) ?? aboutAnswer(step))

/** I7: nothing is recorded that the state before does not allow. */
export const transitions: Invariant = (subject) => ofSteps(subject, aboutMission)

function aboutCall({ before, event }: Step): Found {
  const allowed = MAY_FOLLOW[event.type]
  if (allowed === undefined) return undefined
  const { callId, key } = event.data as { callId: string; key?: string }
  const what = `Event ${event.seq} (${event.type}) is about call ${callId}`
  const entry = before.calls.find(({ call }) => call.id === callId)
  if (entry === undefined) return illegal(`${what}, which the model did not make.`)
  if (entry.status === 'settled') return duplicated(`${what}, whose result was recorded before.`)
  if (event.type === 'tool.started' && entry.status === 'started') return duplicated(`${what}, which had begun before.`)
  if (!allowed.includes(entry.status)) return illegal(`${what}, which is ${entry.status}.`)
  if (key === undefined || key === stepKey(before, entry)) return undefined
  return illegal(`${what} under the key ${key} in place of ${stepKey(before, entry)}.`)
}

function aboutAnswer({ before, event }: Step): Found {
  if (event.type !== 'model.answered') return undefined
  const open = before.calls.filter(({ status }) => status !== 'settled').map(({ call }) => call.id)
  if (open.length > 0) return duplicated(`Event ${event.seq} is an answer while calls are open: ${open.join(', ')}.`)
  if (!finalAnswerIsThere(before)) return undefined
  return duplicated(`Event ${event.seq} is an answer behind the final one of event ${before.answeredSeq}.`)
}

function aboutMission({ before, event }: Step): Found {
  const { seq, type } = event
  const named = `Event ${seq} (${type})`
  if (before.paused && !IN_A_PAUSE.has(type)) return illegal7(`${named} was recorded in a pause.`)
  if (before.startedAt === undefined && !BEFORE_START.has(type)) return illegal7(`${named} came before the start.`)
  if (type === 'mission.started' && before.startedAt !== undefined) return illegal7(`${named} is a second start.`)
  if (type === 'mission.resumed' && !before.paused) return illegal7(`${named} ends no pause.`)
  if (type === 'mission.completed' && !finalAnswerIsThere(before))
    return illegal7(`${named} came without a final answer.`)
  // Whether something happened outside is not left open.
  const begun = before.calls.filter(({ status }) => status === 'started')
  if (type === 'mission.failed' && begun.length > 0) return illegal7(`${named} leaves open how a call ended.`)
  return undefined
}

function illegal(what: string): Found {
  return { invariant: 'I3', counts: 'illegal', what }
}

function duplicated(what: string): Found {
  return { invariant: 'I3', counts: 'duplicated', what }
}

function illegal7(what: string): Found {
  return { invariant: 'I7', counts: 'illegal', what }
}
