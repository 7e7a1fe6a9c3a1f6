import { stepKey } from './call-events.ts'
import type { EventDraft, Failure, ToolCall } from './event.ts'
import type { UnknownOutcomes } from './profile.ts'
import { failCall } from './settle-call.ts'
import type { CallState, MissionState } from './state.ts'

type UnknownData = Extract<EventDraft, { type: 'tool.unknown' }>['data']

/** Of a call's arguments in a question or an error: enough to know it again, and one line. */
const ARGUMENTS_CHARS = 300
const REASON_CHARS = 300

const INTERRUPTED = 'The call was interrupted.'

const ANSWER = {
  type: 'object',
  properties: {
    outcome: { enum: ['happened', 'did_not_happen'], description: 'Whether the call was carried out.' },
    note: { type: 'string', maxLength: 2000, description: 'What the agent should know about it.' },
  },
  required: ['outcome'],
  additionalProperties: false,
}

/** That nobody knows how a call ended, and who is to deal with it: the model unless the policy says otherwise. */
export function unknownOutcome(call: ToolCall, key: string, policy: UnknownOutcomes, reason?: string): EventDraft {
  const data = { callId: call.id, name: call.name, key, reason }
  return { type: 'tool.unknown', data: policy === 'model' ? data : { ...data, policy } }
}

/** For each of these calls that began and is not known to have ended: that nobody knows how it did. */
export function unknownOutcomes(
  state: MissionState,
  calls: readonly CallState[],
  policy: UnknownOutcomes,
): EventDraft[] {
  return calls
    .filter(({ status }) => status === 'started')
    .map((entry) => unknownOutcome(entry.call, stepKey(state, entry), policy))
}

/** The question for each of these calls that a person is to deal with and was not asked about yet. */
export function outcomeQuestions(state: MissionState, calls: readonly CallState[]): EventDraft[] {
  return calls
    .filter(({ status }) => status === 'unknown')
    .map((entry) => {
      const text = `Nobody knows whether this call was carried out: ${shown(entry.call)}. ${entry.interrupted ?? INTERRUPTED} Find out, and say whether it happened.`
      return {
        type: 'question.asked',
        data: {
          // Another letter than ask_user's own questions have.
          questionId: `u${state.answeredSeq}-${entry.index}`,
          callId: entry.call.id,
          kind: 'question',
          text,
          schema: ANSWER,
          onDeadline: { action: 'continue' },
        },
      }
    })
}

/** Folds `tool.unknown`: the model reads it, unless a person is to be asked first. */
export function withUnknown(state: MissionState, { callId, reason = INTERRUPTED, policy }: UnknownData): MissionState {
  const entry = state.calls.find(({ call, status }) => call.id === callId && status !== 'settled')
  if (entry === undefined) return state
  if (policy === 'person') {
    const interrupted = oneLine(reason, REASON_CHARS)
    const unknown: CallState = { ...entry, status: 'unknown', interrupted }
    return { ...state, calls: state.calls.map((other) => (other === entry ? unknown : other)) }
  }
  const settled = failCall(state, callId, toldUnknown(reason))
  return policy === 'end' ? { ...settled, ending: state.ending ?? ending(entry.call, reason) } : settled
}

/** What the model reads of a call that nobody knows the outcome of. */
export function toldUnknown(reason: string): string {
  return `The outcome of this call is unknown. ${reason} It may have happened: find out before you do it again.`
}

/** What the model reads of a call that a person was asked about. */
export function toldByPerson(content: string): string {
  return `This call was interrupted, and it was not known whether it had happened. A person was asked, and says: ${content}`
}

function ending(call: ToolCall, reason: string): Failure {
  return {
    code: 'unknown_outcome',
    message: `Nobody knows whether this call was carried out: ${shown(call)}. ${oneLine(reason, REASON_CHARS)}`,
    hint: 'Find out whether it happened. Then retry or continue the mission, and say what you found.',
  }
}

function shown({ name, arguments: args }: ToolCall): string {
  return `${oneLine(name, 100)} with ${oneLine(args, ARGUMENTS_CHARS) || 'no arguments'}`
}

function oneLine(text: string, chars: number): string {
  const line = text.replace(/\s+/g, ' ').trim()
  return line.length <= chars ? line : `${line.slice(0, chars).toWellFormed()}…`
}
