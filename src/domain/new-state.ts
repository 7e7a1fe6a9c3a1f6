import type { MissionEvent } from './event.ts'
import type { MissionState, Turn } from './state.ts'

export type Created = Extract<MissionEvent, { type: 'mission.created' }>

/** A mission's state after its first event alone. */
export function newState(event: Created): MissionState {
  const { messages, profile, limits, labels, files, priority, deadline, metadata, forkedFrom } = event.data
  const turns: Turn[] = messages.map(({ role, content }) =>
    role === 'user' ? { role, content } : { role, content, toolCalls: [] },
  )
  return {
    seq: event.seq,
    createdAt: event.at,
    forkedFrom,
    generation: 0,
    messages,
    profile,
    limits,
    labels,
    inputs: files,
    files,
    priority,
    metadata,
    deadline: deadline === undefined ? undefined : Date.parse(deadline),
    turns,
    mailbox: [],
    final: false,
    answeredSeq: 0,
    calls: [],
    questions: [],
    timers: [],
    closedQuestions: {},
    plan: [],
    sources: [],
    fileWriters: [],
    stumbles: 0,
    usage: { steps: 0, inputTokens: 0, outputTokens: 0, costUsd: '0' },
    modelFailures: 0,
    modelRetryAt: 0,
    lastText: '',
    paused: false,
    pausedMs: 0,
  }
}
