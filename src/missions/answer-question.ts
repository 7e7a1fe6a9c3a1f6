import { wakeMission } from '../db/queries/missions.ts'
import { answerFits } from '../domain/control-tools/answer-schema.ts'
import type { MissionState, QuestionState } from '../domain/state.ts'
import { changeMission } from './change-mission.ts'
import type { Caller, MissionsContext } from './context.ts'
import { pointer, Refusal } from './refusal.ts'
import type { MissionView } from './view.ts'
import { wake } from './wake.ts'

/**
 * Records a person's answer and lets the mission go on. The first answer counts.
 * @throws Refusal `already_answered`, `illegal_state` after the mission's end, `not_found` for an unknown question,
 * `invalid_request` for an answer that does not fit the question's schema.
 */
export async function answerQuestion(
  context: MissionsContext,
  caller: Caller,
  id: string,
  given: { questionId: string; answer: unknown },
): Promise<MissionView> {
  const { mission } = await changeMission(context, caller, id, {
    decide: (state) => {
      checkAnswer(openQuestion(state, given.questionId), given.answer)
      return { type: 'question.answered', data: { ...given, by: caller.name } }
    },
    apply: (tx, row) => wakeMission(tx, row.id),
  })
  await wake(context, id)
  return mission
}

function openQuestion(state: MissionState, questionId: string): QuestionState {
  const closed = state.closedQuestions[questionId]
  if (closed === 'answered')
    throw new Refusal('already_answered', 'This question has been answered; the first answer counts.')
  if (closed === 'expired')
    throw new Refusal('already_answered', 'The time for this question is over; the mission went on without an answer.')
  const question = state.questions.find((open) => open.questionId === questionId)
  if (question === undefined) throw new Refusal('not_found', 'The mission has no question with this questionId.')
  if (state.outcome !== undefined)
    throw new Refusal('illegal_state', `The mission has ${state.outcome.status}; nobody waits for this answer.`)
  return question
}

function checkAnswer(question: QuestionState, answer: unknown): void {
  const checked = answerFits(question.schema, answer)
  if (checked.ok) return
  const errors = checked.problems.map(({ path, message }) => ({
    pointer: pointer(['answer', ...path]),
    detail: message,
  }))
  throw new Refusal('invalid_request', "The answer does not fit the question's schema.", errors)
}
