import { describe, expect, it } from 'vitest'
import { decide } from '../../src/domain/decide.ts'
import type { EventDraft } from '../../src/domain/event.ts'
import { fold } from '../../src/domain/evolve.ts'
import type { EffectiveProfile } from '../../src/domain/profile.ts'
import type { MissionState } from '../../src/domain/state.ts'
import { transcript } from '../../src/domain/transcript.ts'
import { answered, asked, created, event, finished, journal, START, started, stateOf } from '../support/journal.ts'

const profile: EffectiveProfile = {
  name: 'dev',
  model: {},
  instructions: 'Be brief.',
  tools: [],
  limits: { steps: 10, tokens: 1000, costUsd: '1', wallMs: 3_600_000 },
  prices: {},
  egress: { allow: [], post: [] },
}

/** The parent's events, and those of the branch that goes on from its last one. */
function branched(parent: EventDraft[], said?: string, ...own: EventDraft[]): MissionState {
  const forkedFrom = { id: 'parent', seq: parent.length }
  return fold(journal(created({ forkedFrom, said }), started(), ...own), stateOf(...parent))
}

function next(state: MissionState, now = START + 60_000) {
  const tools = new Set(['read_file', 'post_webhook', 'ask_user', 'wait'])
  return decide(state, now, { instance: 'i', tools, inFlight: new Set() })
}

function words(state: MissionState, now?: number) {
  return next(state, now).map((action) => (action.do === 'append' ? action.event.type : action.do))
}

/** What the model reads when it is asked now, but for the system prompt. */
function told(state: MissionState): string[] {
  return transcript(state, profile)
    .slice(1)
    .map(({ role, content }) => `${role}: ${content.split('\n').at(-1)}`)
}

const begun = [created(), started()]
const begins = event('tool.started', { callId: 'c0', name: 'post_webhook', key: '3.0' })
const later = new Date(START + 864e5).toISOString()
const sleeps = event('timer.set', { timerId: 't3-0', callId: 'c0', until: later })
const failedModel = event('model.failed', {
  model: 'm',
  error: { code: 'gone', message: 'gone' },
  retry: false,
  durationMs: 1,
})

describe('a branch', () => {
  it('knows what its parent knew, and reads the new words behind it', () => {
    const state = branched([...begun, answered('', 'read_file'), finished('c0', 'x'), answered('Hello')], 'And now?')
    expect(told(state)).toEqual(['user: Say hello', 'assistant: ', 'tool: x', 'assistant: Hello', 'user: And now?'])
    expect(words(state)).toEqual(['callModel'])
    expect(words(branched([...begun, answered('Hello')], 'And now?', answered('More')))).toEqual(['mission.completed'])
  })

  it('without new words gives the answer that its parent could not', () => {
    expect(next(branched([...begun, answered('Hello')]))).toMatchObject([
      { event: { data: { result: { text: 'Hello' } } } },
    ])
  })

  it('has its own numbers, usage, limits and counters', () => {
    const stumbles = Array.from({ length: 5 }, () => answered(''))
    const state = branched([...begun, ...stumbles, failedModel, event('mission.paused', { by: 'x' })])
    expect(state).toMatchObject({
      seq: 2,
      generation: 1,
      usage: { steps: 0, costUsd: '0' },
      stumbles: 0,
      modelFailures: 0,
      paused: false,
      answeredSeq: 0,
      startedAt: START + 1000,
      forkedFrom: { id: 'parent', seq: 9 },
    })
    expect(words(state)).toEqual(['callModel'])
  })

  it('has the files, the plan and the sources of its parent', () => {
    const file = { name: 'in.csv', bytes: 1, sha256: 'a' }
    const plan = [{ id: 'a', title: 'A', status: 'pending' as const }]
    const state = branched([created({ files: [file] }), started(), event('plan.updated', { callId: '', items: plan })])
    expect(state).toMatchObject({ files: [file], inputs: [file], plan })
  })

  it('reads what its parent was told and did not read, first', () => {
    const message = event('mission.message', { role: 'user', content: 'hurry', by: 'x' })
    expect(told(branched([...begun, answered('Hi'), message], 'now'))).toEqual([
      'user: Say hello',
      'assistant: Hi',
      'user: hurry',
      'user: now',
    ])
  })

  it('of a branch goes on from both', () => {
    const middle = branched([...begun, answered('One')], 'second', answered('Two'))
    const state = fold(journal(created({ forkedFrom: { id: 'middle', seq: 3 }, said: 'third' }), started()), middle)
    expect(state.generation).toBe(2)
    expect(told(state)).toEqual(['user: Say hello', 'assistant: One', 'user: second', 'assistant: Two', 'user: third'])
  })

  it('is not folded without its parent, or with another state of it', () => {
    const own = journal(created({ forkedFrom: { id: 'parent', seq: 2 } }))
    expect(() => fold(own)).toThrow('parent')
    expect(() => fold(own, stateOf(created()))).toThrow('event 1 was read')
    expect(() => fold(journal(created()), stateOf(created()))).toThrow('no other mission')
  })
})

describe('calls that were open when the journals parted', () => {
  it('run where they had not begun, under keys that no later call can have', () => {
    const state = branched([...begun, answered('', 'read_file', 'read_file'), finished('c0', 'x')])
    expect(next(state)).toMatchObject([{ do: 'runTool', key: '0.1' }])
    const after = branched(
      [...begun, answered('', 'read_file')],
      undefined,
      finished('c0', 'x'),
      answered('', 'read_file'),
    )
    expect(next(after)).toMatchObject([{ do: 'runTool', key: '4.0' }])
  })

  it('have an unknown outcome where they act once and had begun, whatever is said', () => {
    const parent = [...begun, answered('', 'post_webhook'), begins]
    expect(words(branched(parent))).toEqual(['tool.unknown'])
    expect(words(branched(parent, 'go on'))).toEqual(['tool.unknown'])
  })

  it('have an unknown outcome where the parent began them later, whatever is said', () => {
    const parent = [...begun, answered('', 'post_webhook', 'read_file')]
    for (const said of [undefined, 'go on']) {
      const first = created({ forkedFrom: { id: 'parent', seq: 3 }, said, begun: ['c0'] })
      const state = fold(journal(first, started()), stateOf(...parent))
      expect(state.calls[0]).toMatchObject({ status: 'started' })
      expect(next(state)).toMatchObject([{ event: { type: 'tool.unknown', data: { callId: 'c0', key: '0.0' } } }])
    }
  })

  it('sleep on until their time', () => {
    const state = branched([...begun, answered('', 'wait'), sleeps])
    expect(next(state)).toMatchObject([{ do: 'wait', waiting: { kind: 'timer' } }])
    expect(state.timers).toMatchObject([{ timerId: 't3-0', until: Date.parse(later) }])
  })

  it('ask their question anew, so that it stands in the journal that people read', () => {
    const parent = [...begun, answered('', ['ask_user', { question: '?' }]), asked({ questionId: 'q3-0' })]
    const state = branched(parent)
    expect(state).toMatchObject({ questions: [], closedQuestions: {} })
    expect(next(state)).toMatchObject([
      { event: { type: 'question.asked', data: { questionId: 'q0-0', callId: 'c0' } } },
    ])
  })

  it('are not run again where a person was to say how they ended', () => {
    const unknown = event('tool.unknown', { callId: 'c0', name: 'post_webhook', key: '3.0', policy: 'person' })
    const parent = [...begun, answered('', 'post_webhook'), begins, unknown]
    expect(words(branched(parent))).toEqual(['question.asked'])
    expect(words(branched([...parent, asked({ questionId: 'u3-0' })]))).toEqual(['question.asked'])
    expect(told(branched([...parent, asked({ questionId: 'u3-0' })], 'go on')).at(-2)).toMatch(
      /^tool: The outcome .* unknown/,
    )
  })

  it.each<[what: string, events: EventDraft[]]>([
    ['had not begun', [answered('', 'post_webhook')]],
    ['slept', [answered('', 'wait'), sleeps]],
    ['asked', [answered('', ['ask_user', { question: '?' }]), asked()]],
  ])('and %s are not carried out after new words', (_, events) => {
    const state = branched([...begun, ...events], "don't")
    expect(words(state)).toEqual(['callModel'])
    expect(told(state).slice(-2)).toEqual([
      expect.stringMatching(/^tool: This call was not carried out/),
      "user: don't",
    ])
    expect(state.usage.steps).toBe(0)
  })
})
