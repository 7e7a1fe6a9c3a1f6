import type { Failure, FileRef, Limits, Message, PlanItem, Result, Source, ToolCall } from './event.ts'

/** One tool call of the model's latest answer. `index` tells calls with the same id apart. */
export interface CallState {
  call: ToolCall
  index: number
  status: 'pending' | 'started' | 'unknown' | 'asked' | 'sleeping' | 'settled'
  /** Why nobody knows how it ended, where a person is to say. */
  interrupted?: string
  /** The answer broke off while the model wrote this call. */
  cutShort: boolean
}

export interface QuestionState {
  questionId: string
  callId: string
  kind: 'question' | 'approval'
  text: string
  schema: Record<string, unknown>
  askedAt: number
  /** Milliseconds since 1970, database time. */
  deadline?: number
  onDeadline: { action: 'continue' | 'fail'; answer?: unknown }
}

/** What the model has been told so far, in order; the system prompt is added when a model is called. */
export type Turn =
  | { role: 'user'; content: string }
  | { role: 'assistant'; content: string; toolCalls: ToolCall[] }
  /** `failed`: the content says why the call has no result. */
  | { role: 'tool'; callId: string; name: string; content: string; failed?: true }

export type Outcome =
  | { status: 'completed'; result: Result }
  | { status: 'failed'; error: Failure; result?: Result }
  | { status: 'cancelled'; by: string; reason?: string }

export interface Usage {
  steps: number
  inputTokens: number
  outputTokens: number
  costUsd: string
  /** A model without a price took part: `costUsd` is less than what was spent. */
  unpriced?: true
}

/** Why an answer of the model led nowhere. `bad_calls` holds until one of the answer's calls is taken up. */
export interface Stumble {
  why: 'empty' | 'cut_short' | 'content_filter' | 'bad_calls'
  contentFilter?: string[]
}

/** Everything that a journal says about a mission. Made by `evolve` alone. */
export interface MissionState {
  seq: number
  createdAt: number
  /** The mission, and the number of its event, that this one goes on from. */
  forkedFrom?: { id: string; seq: number }
  /** How many missions it goes on from, one from the other. */
  generation: number
  startedAt?: number
  endedAt?: number
  messages: Message[]
  profile: { name: string; hash: string }
  limits: Limits
  /** Milliseconds since 1970, database time. */
  deadline?: number
  labels: Record<string, string>
  metadata?: Record<string, unknown>
  priority: number
  turns: Turn[]
  /** Messages that the model has not been told yet: no server takes one between a call and its result. */
  mailbox: { seq: number; content: string }[]
  /** The latest turn is an answer that calls nothing: the mission's result, unless a message came meanwhile. */
  final: boolean
  /** Number of the latest `model.answered`; keys of its calls start with it. */
  answeredSeq: number
  calls: CallState[]
  questions: QuestionState[]
  timers: { timerId: string; callId: string; until: number }[]
  /** Ids of questions that are no longer open, and how they ended. */
  closedQuestions: Record<string, 'answered' | 'expired'>
  plan: PlanItem[]
  /** Files that the mission was given. */
  inputs: FileRef[]
  /** The workspace now. */
  files: FileRef[]
  /** Of each file that the latest answer wrote: the index of the call that did. */
  fileWriters: { name: string; index: number }[]
  /** What the results of tools came from, each once. */
  sources: Source[]
  usage: Usage
  /** Answers in a row that led nowhere, and what was wrong with the latest. */
  stumbles: number
  stumble?: Stumble
  /** Model failures in a row, and the earliest time of the next attempt. */
  modelFailures: number
  modelRetryAt: number
  lastModelFailure?: Failure & { retry: boolean }
  /** The latest text of the model: what a mission has so far when a limit ends it. */
  lastText: string
  paused: boolean
  /** Since when, and how long the mission was paused before, as far as that was after its start; milliseconds. */
  pausedAt?: number
  pausedMs: number
  /** Why the mission is to end next: an unknown outcome that its profile does not leave to the model. */
  ending?: Failure
  outcome?: Outcome
}
