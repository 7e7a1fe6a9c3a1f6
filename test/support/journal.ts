import type { EventDraft, EventType, MissionEvent } from '../../src/domain/event.ts'
import { fold } from '../../src/domain/evolve.ts'
import type { MissionState } from '../../src/domain/state.ts'

/** The time of the first event of journals made here. */
export const START = Date.parse('2026-11-23T10:00:00Z')

type DataOf<T extends EventType> = Extract<EventDraft, { type: T }>['data']

export function event<T extends EventType>(type: T, data: DataOf<T>): EventDraft {
  return { type, data } as EventDraft
}

export function created(over: Partial<DataOf<'mission.created'>> = {}): EventDraft {
  return event('mission.created', {
    messages: [
      {
        role: 'user',
        content: 'Say hello',
      },
    ],
    profile: {
      name: 'dev',
      hash: 'h',
    },
    limits: {
      steps: 10,
      tokens: 1e3,
      costUsd: '1',
      wallMs: 36e5,
    },
    labels: {},
    files: [],
    priority: 0,
    ...over,
  })
}

export function started(): EventDraft {
  return event('mission.started', { instance: 'i1' })
}

/** An answer of the model: a text, calls given as `name` or `[name, arguments]`, or both. */
export function answered(text: string, ...calls: (string | [string, unknown])[]): EventDraft {
  const toolCalls = calls.map((call, index) => {
    const [name, args] = typeof call === 'string' ? [call, {}] : call
    return { id: `c${index}`, name, arguments: JSON.stringify(args) }
  })
  const usage = { inputTokens: 10, outputTokens: 5, costUsd: '0.01' }
  return event('model.answered', { model: 'm', text, toolCalls, usage, durationMs: 1 })
}

export function finished(callId: string, output: string, name = 'read_file'): EventDraft {
  return event('tool.finished', { callId, name, effect: 'read', output, durationMs: 1 })
}

/** A question of the first call of an answer, without a deadline unless told. */
export function asked(over: Partial<DataOf<'question.asked'>> = {}): EventDraft {
  return event('question.asked', {
    questionId: 'q',
    callId: 'c0',
    kind: 'question',
    text: '?',
    schema: {},
    onDeadline: { action: 'continue' },
    ...over,
  })
}

/** Numbers the events from 1 on, one second apart. */
export function journal(...drafts: EventDraft[]): MissionEvent[] {
  return drafts.map((draft, index) => ({ ...draft, seq: index + 1, at: START + index * 1000 }))
}

export function stateOf(...drafts: EventDraft[]): MissionState {
  return fold(journal(...drafts))
}
