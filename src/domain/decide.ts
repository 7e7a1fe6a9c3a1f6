import { controlTool } from './control-tools/registry.ts'
import type { EventDraft, Failure, ToolCall } from './event.ts'
import { endOfTime, limitReached } from './limits.ts'
import { MODEL_ATTEMPTS } from './model-retry.ts'
import { resultOf, resultSoFar } from './result.ts'
import type { CallState, MissionState } from './state.ts'
import { gaveUp, MOST_STUMBLES } from './stumble.ts'

export interface Waiting {
  kind: 'question' | 'approval' | 'timer' | 'model' | 'budget'
  /** Milliseconds since 1970, database time; absent: until somebody acts. */
  until?: number
  /** When the mission must be looked at again at the latest: `until`, or the end of its time. */
  wakeAt: number
}

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
  if (state.startedAt === undefined) return append({ type: 'mission.started', data: { instance: abilities.instance } })
  if (state.paused) return [{ do: 'pause' }]
  const limit = limitReached(state, now)
  if (limit !== undefined) return append(failure(state, limit))
  const due = dueEvents(state, now)
  if (due.length > 0) return append(...due)
  const open = state.calls.filter(({ status }) => status !== 'settled')
  if (open.length > 0) return decideCalls(state, open, now, abilities)
  return decideTurn(state, now, abilities)
}

function append(...events: EventDraft[]): Action[] {
  return events.map((event) => ({ do: 'append', event }))
}

/** Timers and question deadlines whose time has come. */
function dueEvents(state: MissionState, now: number): EventDraft[] {
  const timers = state.timers.filter(({ until }) => until <= now)
  const late = state.questions.filter(({ deadline }) => deadline !== undefined && deadline <= now)
  const fatal = late.find(({ onDeadline }) => onDeadline.action === 'fail')
  return [
    ...timers.map(({ timerId }): EventDraft => ({ type: 'timer.fired', data: { timerId } })),
    ...late.map(({ questionId }): EventDraft => ({ type: 'question.expired', data: { questionId } })),
    ...(fatal === undefined ? [] : [failure(state, expired(fatal.text))]),
  ]
}

function expired(text: string): Failure {
  const message = `Nobody answered in time: "${text}"`
  return { code: 'question_expired', message, hint: 'Retry the mission and answer it.' }
}

/** The end of a mission that could not finish, with what it has so far. */
export function failure(state: MissionState, { code, message, hint }: Failure): EventDraft {
  return { type: 'mission.failed', data: { code, message, hint, ...resultSoFar(state) } }
}

function decideCalls(state: MissionState, open: CallState[], now: number, abilities: Abilities): Action[] {
  const free = open.filter(({ index }) => !abilities.inFlight.has(stepKey(state, index)))
  const events = free.flatMap((entry) => callEvents(state, entry, now, abilities))
  if (events.length > 0) return append(...events)
  const pending = free.filter(({ status }) => status === 'pending')
  if (pending.length > 0 || abilities.inFlight.size > 0) {
    const startable = pending.slice(0, roomFor(state, abilities))
    return startable.map(({ call, index }) => ({ do: 'runTool', call, key: stepKey(state, index) }))
  }
  return [{ do: 'wait', waiting: waitingFor(state) }]
}

/** An answer may hold hundreds of calls: no more of them run than there are steps left, nor all at once. */
function roomFor({ limits, usage }: MissionState, { inFlight }: Abilities): number {
  return Math.max(0, Math.min(MOST_AT_ONCE, limits.steps - usage.steps) - inFlight.size)
}

/** The same for every attempt at a call, and for no other call of the mission. */
function stepKey(state: MissionState, index: number): string {
  return `${state.answeredSeq}.${index}`
}

/** What follows for a call without any hands: a question, a timer, a plan, a refusal, or that nobody knows how it ended. */
function callEvents(state: MissionState, entry: CallState, now: number, abilities: Abilities): EventDraft[] {
  const { call, index, status } = entry
  if (status === 'started') {
    return [{ type: 'tool.unknown', data: { callId: call.id, name: call.name, key: stepKey(state, index) } }]
  }
  if (status !== 'pending') return []
  if (entry.cutShort) {
    const message = 'Your answer broke off while you wrote this call, so it was not run. Make it again, shorter.'
    return [{ type: 'tool.failed', data: refusal(call, 'cut_short', message) }]
  }
  if (!abilities.tools.has(call.name)) {
    const message = `There is no tool "${call.name}". Use one of: ${[...abilities.tools].join(', ') || 'none'}.`
    return [{ type: 'tool.failed', data: refusal(call, 'unknown_tool', message) }]
  }
  const control = controlTool(call.name)
  if (control === undefined) return []
  const outcome = control.decide(call, { id: `${state.answeredSeq}-${index}`, now })
  return [outcome.ok ? outcome.event : { type: 'tool.failed', data: refusal(call, 'bad_arguments', outcome.reason) }]
}

function refusal(call: ToolCall, code: string, message: string) {
  return { callId: call.id, name: call.name, durationMs: 0, error: { code, message } }
}

function waitingFor(state: MissionState): Waiting {
  const deadlines = state.questions.flatMap(({ deadline }) => deadline ?? [])
  const times = [...state.timers.map(({ until }) => until), ...deadlines]
  return waiting(state, state.questions[0]?.kind ?? 'timer', times.length === 0 ? undefined : Math.min(...times))
}

function waiting(state: MissionState, kind: Waiting['kind'], until: number | undefined): Waiting {
  return { kind, until, wakeAt: Math.min(until ?? Infinity, endOfTime(state)) }
}

function decideTurn(state: MissionState, now: number, abilities: Abilities): Action[] {
  if (abilities.inFlight.has(MODEL_STEP)) return []
  const last = state.turns.at(-1)
  if (last?.role === 'assistant' && state.answeredSeq > 0) {
    return append({ type: 'mission.completed', data: { result: resultOf(state, last.content) } })
  }
  const failed = state.lastModelFailure
  if (failed !== undefined && (!failed.retry || state.modelFailures >= MODEL_ATTEMPTS)) {
    return append(failure(state, failed))
  }
  if (state.stumble !== undefined && state.stumbles >= MOST_STUMBLES) {
    return append(failure(state, gaveUp(state.stumble)))
  }
  if (state.modelRetryAt > now) return [{ do: 'wait', waiting: waiting(state, 'model', state.modelRetryAt) }]
  return [{ do: 'callModel' }]
}
