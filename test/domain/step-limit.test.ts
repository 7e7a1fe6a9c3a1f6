import { describe, expect, it } from 'vitest'
import { decide, failure } from '../../src/domain/decide.ts'
import type { EventDraft } from '../../src/domain/event.ts'
import { answered, asked, created, event, finished, START, started, stateOf } from '../support/journal.ts'

const SOON = START + 60_000
const tools = new Set(['read_file', 'post_webhook', 'ask_user', 'wait', 'make_plan'])

function limited(steps: number, wallMs = 3_600_000): EventDraft[] {
  return [created({ limits: { steps, tokens: 1000, costUsd: '1', wallMs } }), started()]
}

/** The types of what would be appended, or the kinds of the other actions. */
function words(events: EventDraft[], inFlight: string[] = [], now = SOON) {
  const actions = decide(stateOf(...events), now, { instance: 'i1', tools, inFlight: new Set(inFlight) })
  return actions.map((action) => {
    if (action.do === 'append') return action.event.type
    return action.do === 'runTool' ? action.call.name : action.do
  })
}

const posting = (callId: string, key: string) => event('tool.started', { callId, name: 'post_webhook', key })
const sleeping = (callId: string, until: number) =>
  event('timer.set', { timerId: 't', callId, until: new Date(until).toISOString() })

describe('the limit of steps', () => {
  const plan: [string, unknown] = ['make_plan', { items: [{ id: 'a', title: 'A', status: 'done' }] }]

  it.each([
    ['plans', plan, 'plan.updated'],
    ['refusals', 'rm', 'tool.failed'],
    ['questions', ['ask_user', { question: '?' }], 'question.asked'],
    ['timers', ['wait', { seconds: 9 }], 'timer.set'],
  ] as const)('holds for %s that were asked for together', (_, call, type) => {
    const many = Array.from({ length: 300 }, () => call as [string, unknown])
    expect(words([...limited(4), answered('', ...many)])).toEqual([type, type, type])
  })

  it('keeps a step for each call that sleeps, asks or runs, so that none of them is cut off by it', () => {
    const events = [
      ...limited(4),
      answered('', ['wait', { seconds: 9 }], ['ask_user', { question: '?' }], 'post_webhook', 'read_file'),
      sleeping('c0', SOON + 1),
    ]
    const question = asked({ callId: 'c1' })
    expect(words([...events, question])).toEqual(['post_webhook'])
    const busy = [...events, question, posting('c2', '3.2')]
    expect(words(busy, ['3.2'])).toEqual([])
    expect(words([...busy, event('timer.fired', { timerId: 't' })], ['3.2'], SOON + 1)).toEqual([])
  })

  it('lets a mission wait for what was begun before it ends', () => {
    const events = [...limited(3), answered('', ['wait', { seconds: 9 }], 'read_file', 'read_file')]
    const waits = [...events, sleeping('c0', SOON + 1), finished('c1', 'x')]
    expect(words(waits)).toEqual(['wait'])
    expect(words([...waits, event('timer.fired', { timerId: 't' })])).toEqual(['mission.failed'])
  })
})

describe('the end of a mission with a call under way', () => {
  const busy = [...limited(9, 59_000), answered('', 'post_webhook', 'read_file'), posting('c0', '3.0')]
  const unknown = { type: 'tool.unknown', data: { callId: 'c0', name: 'post_webhook', key: '3.0' } }

  it('says before it that nobody knows how the call ended, also while it runs here', () => {
    for (const inFlight of [[], ['3.0', '3.1']]) {
      const actions = decide(stateOf(...busy), SOON, { instance: 'i1', tools, inFlight: new Set(inFlight) })
      expect(actions).toMatchObject([
        { event: unknown },
        { event: { type: 'mission.failed', data: { code: 'limit_wallMs' } } },
      ])
    }
  })

  it('by an unanswered question says so too', () => {
    const question = asked({
      callId: 'c1',
      deadline: new Date(SOON).toISOString(),
      onDeadline: { action: 'fail' },
    })
    const events = [...limited(9), answered('', 'post_webhook', 'ask_user'), posting('c0', '3.0'), question]
    expect(words(events, ['3.0'])).toEqual(['question.expired', 'tool.unknown', 'mission.failed'])
  })

  it('for any other reason says so too, and not of calls that have ended', () => {
    const why = { code: 'crash_loop', message: 'It crashed.' }
    const over = [unknown, { type: 'mission.failed', data: why }]
    expect(failure(stateOf(...busy), why)).toMatchObject(over)
    expect(failure(stateOf(...busy, finished('c0', 'x')), why)).toMatchObject(over.slice(1))
  })
})
