import { callEvents, stepKey } from './call-events.ts'
import type { EventDraft, Failure, ToolCall } from './event.ts'
import { finalAnswerIsThere, limitReached } from './limits.ts'
import { MODEL_ATTEMPTS } from './model-retry.ts'
import type { UnknownOutcomes } from './profile.ts'
import { resultOf, resultSoFar } from './result.ts'
import type { CallState, MissionState } from './state.ts'
import { gaveUp, MOST_STUMBLES } from './stumble.ts'
import { outcomeQuestions, unknownOutcomes } from './unknown-outcome.ts'
import { waiting, waitingForCalls, type Waiting } from './waiting.ts'

/** What the engine is to do next. `append` needs no hands: it follows from the journal alone. */
export type Action =
  | { do: 'append'; event: EventDraft }
  | { do: 'callModel' }
  | { do: 'runTool'; call: ToolCall; key: string }
  | { do: 'wait'; waiting: Waiting }
  | { do: 'pause' }
  | { do: 'stop' }

/** What the instance that asks brings along. */
export interface Abilities {
  instance: string
  /** The tools that the profile allows; anything else that a model asks for is refused. */
  tools: ReadonlySet<string>
  /** Keys of the steps that this instance is working on: they are not started again. */
  inFlight: ReadonlySet<string>
  /** The profile's policy; absent: `model`. */
  unknownOutcomes?: UnknownOutcomes
}

/** Tool calls of one mission that run side by side: models ask for two to eight, and 32 missions share an instance. */
export const MOST_AT_ONCE = 16

/** Key of a model call among the steps in flight; there is one at a time. */
export const MODEL_STEP = 'model'

/**
 * What to do next with a mission; pure. Appends come alone: do them, fold them, decide again. Nothing to do while steps
 * are in flight gives an empty list.
 * @param now milliseconds since 1970 by the database's clock
 */
export function decide(state: MissionState, now: number, abilities: Abilities): Action[] {
  if (state.outcome !== undefined) return [{ do: 'stop' }]
  if (state.ending !== undefined) return append(...failure(state, state.ending))
  if (state.paused) return abilities.inFlight.size > 0 ? [] : [{ do: 'pause' }]
  if (state.startedAt === undefined) return append({ type: 'mission.started', data: { instance: abilities.instance } })
  const limit = limitReached(state, now)
  if (limit !== undefined) return append(...failure(state, limit))
  const due = dueEvents(state, now)
  if (due.length > 0) return append(...due)
  const open = state.calls.filter(({ status }) => status !== 'settled')
  if (open.length > 0) return decideCalls(state, open, now, abilities)
  return decideTurn(state, now, abilities)
}

function append(...events: EventDraft[]): Action[] {
  return events.map((event) => ({ do: 'append', event }))
}

/** Timers and question deadlines whose time has come, and timers that a message ends: nobody sleeps on after "do it now". */
function dueEvents(state: MissionState, now: number): EventDraft[] {
  const timers = state.timers.filter(({ until }) => until <= now || state.mailbox.length > 0)
  const late = state.questions.filter(({ deadline }) => deadline !== undefined && deadline <= now)
  const fatal = late.find(({ onDeadline }) => onDeadline.action === 'fail')
  return [
    ...timers.map(({ timerId, until }): EventDraft => {
      return { type: 'timer.fired', data: until <= now ? { timerId } : { timerId, early: true } }
    }),
    ...late.map(({ questionId }): EventDraft => ({ type: 'question.expired', data: { questionId } })),
    ...(fatal === undefined ? [] : failure(state, expired(fatal.text))),
  ]
}

function expired(text: string): Failure {
  const message = `Nobody answered in time: "${text}"`
  return { code: 'question_expired', message, hint: 'Retry the mission and answer it.' }
}

/**
 * The end of a mission that could not finish, with what it has so far. Calls that are under way end before it: a journal does
 * not leave open whether something may have happened outside. Nobody is asked about them any more.
 */
export function failure(state: MissionState, { code, message, hint }: Failure): EventDraft[] {
  const end: EventDraft = { type: 'mission.failed', data: { code, message, hint, ...resultSoFar(state) } }
  return [...unknownOutcomes(state, state.calls, 'model'), end]
}

function decideCalls(state: MissionState, open: CallState[], now: number, abilities: Abilities): Action[] {
  const { inFlight, tools, unknownOutcomes: policy = 'model' } = abilities
  const free = open.filter((entry) => !inFlight.has(stepKey(state, entry)))
  const pending = free.filter(({ status }) => status === 'pending')
  const taken = pending.slice(0, stepsLeft(state, open.length - pending.length))
  const events = [
    ...unknownOutcomes(state, free, policy),
    ...outcomeQuestions(state, free),
    ...taken.flatMap((entry) => callEvents(state, entry, now, tools)),
  ]
  if (events.length > 0) return append(...events)
  if (taken.length === 0 && inFlight.size === 0) return [{ do: 'wait', waiting: waitingForCalls(state) }]
  return taken
    .slice(0, Math.max(0, MOST_AT_ONCE - inFlight.size))
    .map((entry) => ({ do: 'runTool', call: entry.call, key: stepKey(state, entry) }))
}

/**
 * An answer may hold hundreds of calls: no more of them are taken up than there are steps. Those that run, sleep or wait for
 * a person hold theirs already, so that the limit can't end the mission while one of them is under way.
 */
function stepsLeft({ limits, usage }: MissionState, underWay: number): number {
  return Math.max(0, limits.steps - usage.steps - underWay)
}

function decideTurn(state: MissionState, now: number, abilities: Abilities): Action[] {
  if (abilities.inFlight.has(MODEL_STEP)) return []
  if (finalAnswerIsThere(state)) {
    return append({ type: 'mission.completed', data: { result: resultOf(state, state.turns.at(-1)?.content ?? '') } })
  }
  const failed = state.lastModelFailure
  if (failed !== undefined && (!failed.retry || state.modelFailures >= MODEL_ATTEMPTS)) {
    return append(...failure(state, failed))
  }
  if (state.stumble !== undefined && state.stumbles >= MOST_STUMBLES) {
    return append(...failure(state, gaveUp(state.stumble)))
  }
  if (state.modelRetryAt > now) return [{ do: 'wait', waiting: waiting(state, 'model', state.modelRetryAt) }]
  return [{ do: 'callModel' }]
}
