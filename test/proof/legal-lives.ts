import type { EventDraft } from '../../src/domain/event.ts'
import { answered, asked, created, event, finished, START, started } from '../support/journal.ts'

/** Some missions of two tenants, with everything in them that the checks look at, and nothing wrong. */

export const TENANT = 't1'
export const OTHER_TENANT = 't2'

/** An event at so many seconds after the start, of an epoch. */
export interface Told {
  s: number
  epoch: number
  draft: EventDraft
}

/** One second after the one before, or at `s`. */
function tell(...lines: (EventDraft | { s?: number; epoch?: number; draft: EventDraft })[]): Told[] {
  const told: Told[] = []
  for (const line of lines) {
    const before = told.at(-1) ?? { s: -1, epoch: 0 }
    const { s = before.s + 1, epoch = before.epoch, draft } = 'draft' in line ? line : { draft: line }
    told.push({ s, epoch, draft })
  }
  return told
}

const limits = { steps: 30, tokens: 1e4, costUsd: '1', wallMs: 36e5 }
const done = event('mission.completed', { result: { text: 'Done' } })
const acted = event('tool.finished', { callId: 'c2', name: 'act', effect: 'once', durationMs: 1 })
const begun = (callId: string, key: string) => ({
  epoch: 1,
  draft: event('tool.started', { callId, name: 'act', key }),
})

const later = (seconds: number) => new Date(START + seconds * 1000).toISOString()

/** By id. */
export const LIVES: Record<string, { tenantId?: string; told: Told[] }> = {
  whole: {
    told: tell(
      created({ limits }),
      { epoch: 1, draft: started() },
      answered('', 'look', 'put', 'act'),
      begun('c2', '3.2'),
      finished('c0', 'look', 'look'),
      finished('c1', 'put', 'put'),
      acted,
      answered('', 'ask_user'),
      asked({ questionId: 'q8-0', deadline: later(600) }),
      event('question.answered', { questionId: 'q8-0', answer: { colour: 'blue' }, by: 'somebody' }),
      { epoch: 2, draft: answered('', 'wait') },
      event('timer.set', { timerId: 't11-0', callId: 'c0', until: later(20) }),
      { s: 20.5, epoch: 3, draft: event('timer.fired', { timerId: 't11-0' }) },
      answered('Done'),
      done,
    ),
  },
  cancelled: {
    told: tell(
      created({ limits }),
      { epoch: 1, draft: started() },
      answered('', 'wait'),
      event('timer.set', { timerId: 't3-0', callId: 'c0', until: later(3_000) }),
      event('mission.message', { role: 'user', content: 'Do it now', by: 'somebody' }),
      { epoch: 2, draft: event('timer.fired', { timerId: 't3-0', early: true }) },
      answered('', 'put'),
      event('mission.paused', { by: 'somebody' }),
      finished('c0', 'put', 'put'),
      event('mission.resumed', { by: 'somebody' }),
      answered('', 'look'),
      { s: 160, epoch: 3, draft: event('mission.cancelled', { by: 'somebody' }) },
    ),
  },
  /** With a tool that keeps no record. */
  plain: {
    told: tell(
      created({ limits }),
      { epoch: 1, draft: started() },
      answered('', 'read_file', 'read_file'),
      finished('c0', '1'),
      finished('c1', '2'),
      answered('Done'),
      done,
    ),
  },
  asking: { tenantId: OTHER_TENANT, told: tell(created({ limits }), started(), answered('', 'ask_user'), asked()) },
  paused: { tenantId: OTHER_TENANT, told: tell(created(), started(), event('mission.paused', { by: 'somebody' })) },
  /** The question of `whole` once more, which nobody answers. */
  fork: {
    told: tell(
      { s: 30, draft: created({ limits, forkedFrom: { id: 'whole', seq: 9 } }) },
      { epoch: 1, draft: started() },
      asked({ questionId: 'q0-0', deadline: later(40) }),
      { s: 40, epoch: 2, draft: event('question.expired', { questionId: 'q0-0' }) },
      answered('Done'),
      done,
    ),
  },
  /** From where `whole` was about to make three calls, one of which it had begun meanwhile. */
  fork2: {
    told: tell(
      { s: 50, draft: created({ limits, forkedFrom: { id: 'whole', seq: 3 }, begun: ['c2'] }) },
      { epoch: 1, draft: started() },
      event('tool.unknown', { callId: 'c2', name: 'act', key: '0.2' }),
      finished('c0', 'look', 'look'),
      finished('c1', 'put', 'put'),
      answered('Done'),
      done,
    ),
  },
  /** Refused once; then its process is killed at it, and a person is asked. */
  acting: {
    told: tell(
      created({ limits }),
      { epoch: 1, draft: started() },
      answered('', 'act'),
      begun('c0', '3.0'),
      event('tool.failed', { callId: 'c0', name: 'act', durationMs: 1, error: { code: 'refused', message: 'No.' } }),
      answered('', 'act'),
      begun('c0', '6.0'),
      {
        s: 50,
        epoch: 2,
        draft: event('tool.unknown', { callId: 'c0', name: 'act', key: '6.0', policy: 'person' }),
      },
      asked({ questionId: 'u6-0' }),
      event('question.answered', { questionId: 'u6-0', answer: { outcome: 'happened' }, by: 'somebody' }),
      { epoch: 3, draft: answered('Done') },
      done,
    ),
  },
  limited: {
    told: tell(
      created({ limits: { ...limits, steps: 2 } }),
      { epoch: 1, draft: started() },
      answered('', 'look'),
      finished('c0', 'look', 'look'),
      event('mission.failed', { code: 'limit_steps', message: 'The mission reached its limit "steps" (2 steps).' }),
    ),
  },
}
