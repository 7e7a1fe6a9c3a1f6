import type { MissionRow } from '../db/queries/missions.ts'
import { decide } from '../domain/decide.ts'
import type { Failure, Result } from '../domain/event.ts'
import type { MissionState, QuestionState, Usage } from '../domain/state.ts'
import { summarise, type Summary } from '../domain/summary.ts'

export interface QuestionView {
  questionId: string
  kind: 'question' | 'approval'
  text: string
  schema: Record<string, unknown>
  askedAt: string
  deadline?: string
}

/** A mission as the API gives it. */
export interface MissionView {
  id: string
  status: string
  goal: string
  profile: string
  labels: Record<string, string>
  createdAt: string
  startedAt?: string
  endedAt?: string
  result?: Result
  error?: Failure
  questions?: QuestionView[]
  waitingFor?: Summary['waitingFor']
  usage: Usage
  lastSeq: number
  forkedFrom?: { id: string; seq: number }
  links: { self: string; events: string; cancel: string; answers: string }
}

/** From the journal: exact to the last event, whatever the row says meanwhile. */
export function viewFromJournal(row: MissionRow, state: MissionState): MissionView {
  const { paused, outcome } = state
  const status = outcome?.status ?? (paused ? 'paused' : row.status)
  const waiting = status === 'waiting' ? waitingOf(state) : undefined
  const questions = outcome === undefined ? state.questions.map(toQuestion) : []
  const goal = state.messages.findLast(({ role }) => role === 'user')?.content ?? row.goal
  return {
    ...viewFromSummary({ ...row, goal, status }, summarise(state, waiting), resultIn(state)),
    ...(questions.length === 0 ? {} : { questions }),
  }
}

function resultIn({ outcome }: MissionState): Result | undefined {
  return outcome === undefined || outcome.status === 'cancelled' ? undefined : outcome.result
}

/** From the mission's row: what lists show. */
export function viewFromSummary(row: MissionRow, summary: Partial<Summary>, result: Result | undefined): MissionView {
  const { usage = { steps: 0, inputTokens: 0, outputTokens: 0, costUsd: '0' }, lastSeq = 1 } = summary
  const { error, waitingFor } = summary
  const { id, status, goal, profile, labels } = row
  return {
    id,
    status,
    goal,
    profile,
    labels,
    createdAt: row.createdAt.toISOString(),
    startedAt: row.startedAt?.toISOString(),
    endedAt: row.endedAt?.toISOString(),
    result,
    error,
    waitingFor: status === 'waiting' ? waitingFor : undefined,
    usage,
    lastSeq,
    forkedFrom: row.forkedFrom === null ? undefined : { id: row.forkedFrom, seq: row.forkedSeq ?? 0 },
    links: linksOf(id),
  }
}

export function linksOf(id: string): MissionView['links'] {
  const self = `/api/v1/missions/${id}`
  return { self, events: `${self}/events`, cancel: `${self}/cancel`, answers: `${self}/answers` }
}

function waitingOf(state: MissionState) {
  const abilities = {
    instance: '',
    tools: new Set(state.calls.map(({ call }) => call.name)),
    inFlight: new Set<string>(),
  }
  const action = decide(state, 0, abilities).find(({ do: what }) => what === 'wait')
  return action?.do === 'wait' ? action.waiting : undefined
}

function toQuestion(question: QuestionState): QuestionView {
  const { questionId, kind, text, schema, askedAt, deadline } = question
  return {
    questionId,
    kind,
    text,
    schema,
    askedAt: new Date(askedAt).toISOString(),
    ...(deadline === undefined ? {} : { deadline: new Date(deadline).toISOString() }),
  }
}
