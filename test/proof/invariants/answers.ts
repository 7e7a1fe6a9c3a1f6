import { isDeepStrictEqual } from 'node:util'
import type { Request, Violation } from '../history.ts'
import type { Invariant, Subject } from './facts.ts'

interface Closing {
  seq: number
  answer?: unknown
  expired: boolean
}

/**
 * I12: an answer that was accepted is in the journal as it was given, a question is closed once, and no answer is there that
 * nobody gave.
 */
export const answers: Invariant = (subject) => {
  const { requests, state } = subject
  if (state === undefined) return []
  const given = Map.groupBy(
    requests.filter(({ kind, outcome }) => kind === 'answer' && outcome !== 'refused'),
    ({ questionId = '' }) => questionId,
  )
  const closings = closingsOf(subject)
  const questions = new Set([...given.keys(), ...closings.keys()])
  return [...questions].flatMap((question) => {
    const found = aboutQuestion(question, given.get(question) ?? [], closings.get(question) ?? [])
    return found === undefined ? [] : [{ ...found, missionId: subject.id }]
  })
}

function closingsOf({ steps }: Subject): Map<string, Closing[]> {
  const closings = steps.flatMap(({ event }) => {
    if (event.type !== 'question.answered' && event.type !== 'question.expired') return []
    const { questionId } = event.data
    const answer = event.type === 'question.answered' ? event.data.answer : undefined
    return [{ questionId, seq: event.seq, answer, expired: event.type === 'question.expired' }]
  })
  return Map.groupBy(closings, ({ questionId }) => questionId)
}

function aboutQuestion(
  id: string,
  given: readonly Request[],
  closings: readonly Closing[],
): Omit<Violation, 'missionId'> | undefined {
  const accepted = given.filter(({ outcome }) => outcome === 'accepted')
  const [closing] = closings
  if (closings.length > 1) return i12('duplicated', `Question ${id} was closed ${closings.length} times.`)
  if (accepted.length > 1) return i12('duplicated', `${accepted.length} answers to question ${id} were accepted.`)
  const [answer] = accepted
  if (answer !== undefined && (closing === undefined || closing.expired)) {
    return i12('lost', `The accepted answer to question ${id} is not in the journal.`)
  }
  if (closing === undefined || closing.expired) return undefined
  if (answer !== undefined && !isDeepStrictEqual(answer.answer, closing.answer)) {
    return i12('lost', `Another answer to question ${id} is in the journal than the accepted one.`)
  }
  if (given.some((request) => isDeepStrictEqual(request.answer, closing.answer))) return undefined
  return i12('illegal', `Event ${closing.seq} has an answer to question ${id} that nobody gave, or that was refused.`)
}

function i12(counts: Violation['counts'], what: string): Omit<Violation, 'missionId'> {
  return { invariant: 'I12', counts, what }
}
