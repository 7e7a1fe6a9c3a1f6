import type { Violation } from '../history.ts'
import { ofSteps, type Invariant, type Step, type Subject } from './facts.ts'

/** Of times that were cut to whole milliseconds. */
const ROUNDING_MS = 1

interface Due {
  seq: number
  what: string
  /** What the journal says; undefined where nothing was there to be due. */
  until: number | undefined
  at: number
}

/** I11: a timer fires once and a question expires once, never early, and late only within the bound. */
export const timers: Invariant = (subject, { bounds: { lateMs = Infinity } }) => {
  const early = ofSteps(subject, tooEarly)
  const late = latenessOf(subject).filter(({ ms }) => ms > lateMs)
  return [...early, ...late.map(({ ms, what }) => violation('stuck', `${what} ${ms} ms late.`, subject.id))]
}

/** By how much timers and deadlines took effect late; time in a pause does not count, nor what was due before a fork. */
export function latenessOf({ steps }: Subject): { ms: number; what: string }[] {
  let movesSince = steps[0]?.before.createdAt ?? 0
  return steps.flatMap((step) => {
    if (step.event.type === 'mission.resumed') movesSince = step.event.at
    const due = dueOf(step)
    if (due?.until === undefined || due.at < due.until) return []
    return [{ ms: due.at - Math.max(due.until, movesSince), what: `Event ${due.seq} (${due.what}) took effect` }]
  })
}

function tooEarly(step: Step): Violation | undefined {
  const due = dueOf(step)
  if (due === undefined) return undefined
  const named = `Event ${due.seq} (${due.what})`
  if (due.until === undefined) return violation('duplicated', `${named} is about a timer or question that is not open.`)
  const { event, before } = step
  if (event.type === 'timer.fired' && event.data.early === true) {
    return before.mailbox.length > 0 ? undefined : violation('illegal', `${named} is early, and no message had come.`)
  }
  if (due.at >= due.until - ROUNDING_MS) return undefined
  return violation('illegal', `${named} came ${due.until - due.at} ms too early.`)
}

function dueOf({ before, event }: Step): Due | undefined {
  const { seq, at } = event
  if (event.type === 'timer.fired') {
    const { timerId } = event.data
    const until = before.timers.find((timer) => timer.timerId === timerId)?.until
    return { seq, at, what: `timer ${timerId}`, until }
  }
  if (event.type !== 'question.expired') return undefined
  const { questionId } = event.data
  // One that was closed before is said by I12.
  if (Object.hasOwn(before.closedQuestions, questionId)) return undefined
  const question = before.questions.find((open) => open.questionId === questionId)
  return { seq, at, what: `question ${questionId}`, until: question && (question.deadline ?? Infinity) }
}

function violation(counts: Violation['counts'], what: string, missionId?: string): Violation {
  return { invariant: 'I11', counts, what, missionId }
}
