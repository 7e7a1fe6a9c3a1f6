import type { MissionEvent } from './event.ts'
import { settleCall } from './settle-call.ts'
import type { MissionState } from './state.ts'
import { toldByPerson } from './unknown-outcome.ts'

type Asked = Extract<MissionEvent, { type: 'question.asked' }>['data']

export function askQuestion(state: MissionState, data: Asked, at: number): MissionState {
  const { questionId, callId, kind, text, schema, deadline, onDeadline } = data
  const question = {
    questionId,
    callId,
    kind,
    text,
    schema,
    askedAt: at,
    onDeadline,
    deadline: deadline === undefined ? undefined : Date.parse(deadline),
  }
  return { ...state, questions: [...state.questions, question] }
}

export function answerQuestion(state: MissionState, questionId: string, answer: unknown): MissionState {
  return close(state, questionId, 'answered', JSON.stringify({ answer }))
}

/** No answer in time is never read as a yes: the model gets the default that was declared with the question, or none. */
export function expireQuestion(state: MissionState, questionId: string): MissionState {
  const answer = state.questions.find((q) => q.questionId === questionId)?.onDeadline.answer ?? null
  return close(state, questionId, 'expired', JSON.stringify({ expired: true, answer }))
}

function close(state: MissionState, questionId: string, how: 'answered' | 'expired', content: string): MissionState {
  const question = state.questions.find((q) => q.questionId === questionId)
  if (question === undefined) return state
  const closed = {
    ...state,
    questions: state.questions.filter((other) => other !== question),
    closedQuestions: { ...state.closedQuestions, [questionId]: how },
  }
  const interrupted = state.calls.some(({ call, interrupted: why }) => call.id === question.callId && why !== undefined)
  return settleCall(closed, question.callId, interrupted ? toldByPerson(content) : content)
}
