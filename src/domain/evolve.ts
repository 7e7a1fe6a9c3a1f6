import { branch } from './branch.ts'
import { TerminalError } from './errors.ts'
import type { EventType, MissionEvent } from './event.ts'
import { addUsd } from './money.ts'
import { retryDelayMs } from './model-retry.ts'
import { newState, type Created } from './new-state.ts'
import { answerQuestion, askQuestion, expireQuestion } from './questions.ts'
import { failCall, settleCall } from './settle-call.ts'
import type { MissionState, Stumble, Turn, Usage } from './state.ts'
import { adviceAfter, isRefusal, onward, stumbleOf } from './stumble.ts'
import { userTurns } from './transcript.ts'
import { withUnknown } from './unknown-outcome.ts'
import { withFiles } from './with-files.ts'

type AnswerData = Extract<MissionEvent, { type: 'model.answered' }>['data']
type Apply<T extends EventType> = (state: MissionState, event: Extract<MissionEvent, { type: T }>) => MissionState

/** Some events change nothing but the number: a person reads them, the agent does not. */
const unchanged = (state: MissionState): MissionState => state

const apply: { [T in Exclude<EventType, 'mission.created'>]: Apply<T> } = {
  'mission.started': (state, event) => ({ ...state, startedAt: event.at }),
  'model.answered': answered,
  'model.failed': (state, { data, at }) => ({
    ...state,
    usage: data.usage === undefined ? state.usage : withTokens(state.usage, data.usage),
    modelFailures: state.modelFailures + 1,
    modelRetryAt: at + Math.max(data.retryAfterMs ?? 0, retryDelayMs(state.modelFailures + 1)),
    lastModelFailure: { ...data.error, retry: data.retry },
  }),
  /** No progress yet: its arguments may still be refused. */
  'tool.started': (state, { data }) => withCall(state, data.callId, 'started'),
  'tool.finished': (state, { data }) => {
    const settled = settleCall(state, data.callId, data.output ?? `[${data.content?.bytes ?? 0} bytes, stored]`)
    const { files = [], sources = [] } = data
    return {
      ...onward(settled),
      ...withFiles(state, data.callId, files),
      sources: [...state.sources.filter((old) => !sources.some((s) => s.id === old.id)), ...sources],
    }
  },
  'tool.failed': (state, { data }) => {
    const { code, message, hint } = data.error
    const settled = failCall(state, data.callId, hint === undefined ? message : `${message} ${hint}`)
    return isRefusal(code) ? settled : onward(settled)
  },
  'tool.unknown': (state, { data }) => onward(withUnknown(state, data)),
  'plan.updated': (state, { data }) => ({
    ...onward(settleCall(state, data.callId, JSON.stringify({ plan: 'saved', items: data.items.length }))),
    plan: data.items,
  }),
  'question.asked': (state, { data, at }) => onward(withCall(askQuestion(state, data, at), data.callId, 'asked')),
  'question.reminded': unchanged,
  'question.answered': (state, { data }) => answerQuestion(state, data.questionId, data.answer),
  'question.expired': (state, { data }) => expireQuestion(state, data.questionId),
  'budget.granted': (state, { data }) => ({ ...state, limits: { ...state.limits, ...data.limits } }),
  'budget.exhausted': unchanged,
  'timer.set': (state, { data }) => ({
    ...onward(withCall(state, data.callId, 'sleeping')),
    timers: [...state.timers, { timerId: data.timerId, callId: data.callId, until: Date.parse(data.until) }],
  }),
  'timer.fired': fired,
  'mission.paused': (state, { at }) => (state.paused ? state : { ...state, paused: true, pausedAt: at }),
  'mission.resumed': resumed,
  'mission.message': (state, { data, seq }) => ({
    ...state,
    mailbox: [...state.mailbox, { seq, content: data.content }],
  }),
  'child.started': unchanged,
  'child.ended': unchanged,
  'context.compacted': unchanged,
  'mission.completed': (state, { data, at }) => ({
    ...state,
    endedAt: at,
    outcome: { status: 'completed', result: data.result },
  }),
  'mission.failed': (state, { data: { code, message, hint, result }, at }) => ({
    ...state,
    endedAt: at,
    outcome: { status: 'failed', error: { code, message, hint }, result },
  }),
  'mission.cancelled': (state, { data, at }) => ({
    ...state,
    endedAt: at,
    outcome: { status: 'cancelled', by: data.by, reason: data.reason },
  }),
}

/**
 * Folds one event into a mission's state; pure. The first event is `mission.created`.
 * @throws TerminalError `journal_gap` where numbers are missing or repeated, or the journal goes on after its end.
 */
export function evolve(state: MissionState | undefined, event: MissionEvent): MissionState {
  if (event.seq !== (state?.seq ?? 0) + 1) {
    throw new TerminalError('journal_gap', `Event ${event.seq} follows event ${state?.seq ?? 0} in the journal`)
  }
  if (state === undefined) return created(event)
  if (event.type === 'mission.created' || state.outcome !== undefined) {
    throw new TerminalError('journal_gap', `Event ${event.seq} (${event.type}) can't follow event ${state.seq}`)
  }
  const next = (apply[event.type] as Apply<typeof event.type>)(state, event)
  return { ...next, seq: event.seq }
}

/**
 * Folds a whole journal.
 * @param parent where the journal goes on from another mission's: that mission's state there
 */
export function fold(events: readonly MissionEvent[], parent?: MissionState): MissionState {
  const [first, ...rest] = events
  if (first === undefined) throw new TerminalError('journal_gap', 'The journal is empty')
  let state = parent === undefined ? evolve(undefined, first) : branch(parent, createdFirst(first))
  for (const event of rest) state = evolve(state, event)
  return state
}

function created(event: MissionEvent): MissionState {
  const first = createdFirst(event)
  if (first.data.forkedFrom === undefined) return newState(first)
  throw new TerminalError(
    'journal_gap',
    `The journal goes on from mission ${first.data.forkedFrom.id}, which was not read`,
  )
}

function createdFirst(event: MissionEvent): Created {
  if (event.type === 'mission.created') return event
  throw new TerminalError('journal_gap', `The journal starts with ${event.type} in place of mission.created`)
}

function answered(state: MissionState, event: Extract<MissionEvent, { type: 'model.answered' }>): MissionState {
  const { text = '', toolCalls, usage, finishReason, seenSeq = event.seq - 1 } = event.data
  const read = state.mailbox.filter(({ seq }) => seq <= seenSeq)
  const stumble = stumbleOf(event.data)
  const cut = finishReason === 'length' || finishReason === 'content_filter'
  return {
    ...state,
    turns: [...state.turns, ...userTurns(read), ...turnsOf(event.data, stumble)],
    mailbox: state.mailbox.filter((message) => !read.includes(message)),
    final: stumble === undefined,
    answeredSeq: event.seq,
    calls: toolCalls.map((call, index) => {
      return { call, index, status: 'pending', cutShort: cut && index === toolCalls.length - 1 }
    }),
    usage: { ...withTokens(state.usage, usage), steps: state.usage.steps + 1 },
    stumbles: stumble === undefined ? 0 : state.stumbles + 1,
    stumble,
    modelFailures: 0,
    modelRetryAt: 0,
    lastModelFailure: undefined,
    fileWriters: [],
    // It is given out as what the mission has so far, so nothing that a filter stopped.
    lastText: text.trim() === '' || finishReason === 'content_filter' ? state.lastText : text,
  }
}

/**
 * An empty answer can't be sent back to most servers, and a filtered one would be filtered again, so of these the model
 * reads only what was wrong with them.
 */
function turnsOf({ text = '', toolCalls }: AnswerData, stumble: Stumble | undefined): Turn[] {
  const turn: Turn = { role: 'assistant', content: text, toolCalls }
  if (stumble === undefined || stumble.why === 'bad_calls') return [turn]
  const advice: Turn = { role: 'user', content: adviceAfter(stumble) }
  return stumble.why === 'cut_short' && text.trim() !== '' ? [turn, advice] : [advice]
}

function withTokens(sum: Usage, more: AnswerData['usage']): Usage {
  return {
    ...sum,
    inputTokens: sum.inputTokens + more.inputTokens,
    outputTokens: sum.outputTokens + more.outputTokens,
    costUsd: addUsd(sum.costUsd, more.costUsd),
    ...(more.unpriced === true ? { unpriced: true } : {}),
  }
}

function fired(state: MissionState, event: Extract<MissionEvent, { type: 'timer.fired' }>): MissionState {
  const timer = state.timers.find(({ timerId }) => timerId === event.data.timerId)
  if (timer === undefined) return state
  const waited = { ...state, timers: state.timers.filter((other) => other !== timer) }
  const until = new Date(timer.until).toISOString()
  const early = { waited: false, until, reason: 'The wait was ended early: the user wrote a message, which follows.' }
  return settleCall(waited, timer.callId, JSON.stringify(event.data.early === true ? early : { waited: true, until }))
}

function resumed(state: MissionState, event: Extract<MissionEvent, { type: 'mission.resumed' }>): MissionState {
  const { pausedAt = event.at, startedAt = event.at, pausedMs } = state
  const more = Math.max(0, event.at - Math.max(pausedAt, startedAt))
  return { ...state, paused: false, pausedAt: undefined, pausedMs: pausedMs + more }
}

function withCall(state: MissionState, callId: string, status: 'started' | 'asked' | 'sleeping'): MissionState {
  return { ...state, calls: state.calls.map((entry) => (entry.call.id === callId ? { ...entry, status } : entry)) }
}
