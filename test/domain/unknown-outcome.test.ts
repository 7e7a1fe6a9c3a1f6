import { describe, expect, it } from 'vitest'
import { answerFits, schemaProblem } from '../../src/domain/control-tools/answer-schema.ts'
import { decide, failure } from '../../src/domain/decide.ts'
import type { EventDraft } from '../../src/domain/event.ts'
import type { UnknownOutcomes } from '../../src/domain/profile.ts'
import { answered, asked, created, event, START, started, stateOf } from '../support/journal.ts'

const begun = (args: unknown = { to: 'Ada' }): EventDraft[] => [
  created(),
  started(),
  answered('', ['send', args], 'wait'),
  event('tool.started', { callId: 'c0', name: 'send', key: '3.0' }),
]

function appended(events: EventDraft[], unknownOutcomes?: UnknownOutcomes, inFlight: string[] = ['3.1']): EventDraft[] {
  const tools = new Set(['send', 'wait'])
  const actions = decide(stateOf(...events), START + 10_000, {
    instance: 'i1',
    tools,
    inFlight: new Set(inFlight),
    unknownOutcomes,
  })
  return actions.flatMap((action) => (action.do === 'append' ? [action.event] : []))
}

/** All that follows without hands, one decision after the other. */
function play(events: EventDraft[], policy: UnknownOutcomes): EventDraft[] {
  const more = appended(events, policy)
  return more.length === 0 || more.some(({ type }) => type === 'mission.failed')
    ? [...events, ...more]
    : play([...events, ...more], policy)
}

function question(events: EventDraft[]) {
  const found = events.find((one) => one.type === 'question.asked')
  if (found === undefined) throw new Error('Nobody is asked')
  return found.data
}

describe('a call that began and is not under way', () => {
  it.each(['person', 'end'] as const)('is not left to the model where the policy is %s', (policy) => {
    expect(appended(begun(), policy)).toEqual([
      { type: 'tool.unknown', data: { callId: 'c0', name: 'send', key: '3.0', policy } },
    ])
  })

  it('is recorded in the old form where the policy is the model, or none was pinned', () => {
    const old = [{ type: 'tool.unknown', data: { callId: 'c0', name: 'send', key: '3.0' } }]
    expect(appended(begun(), 'model')).toEqual(old)
    expect(appended(begun())).toEqual(old)
  })

  it('is asked about in one line of bounded length, whatever its arguments are', () => {
    const { text } = question(play(begun({ text: 'a\n\n b'.repeat(5000) }), 'person'))
    expect(text).toMatch(/^Nobody knows whether this call was carried out: send with \{"text":"a/)
    expect(text).not.toContain('\n')
    expect(text.length).toBeLessThan(800)
  })

  it('is asked about with a schema that answers are checked against', () => {
    const { schema } = question(play(begun(), 'person'))
    expect(schemaProblem(schema)).toBeUndefined()
    expect(answerFits(schema, { outcome: 'happened', note: 'Ada has it' }).ok).toBe(true)
    for (const wrong of [{}, 'yes', { outcome: 'maybe' }, { outcome: 'happened', by: 'x' }]) {
      expect(answerFits(schema, wrong).ok).toBe(false)
    }
  })

  it('is asked about under an id that no question of ask_user has, and once', () => {
    const events = play(begun(), 'person')
    expect(question(events).questionId).toBe('u3-0')
    expect(appended(events, 'person')).toEqual([])
  })

  it('counts as one step, whoever dealt with it', () => {
    const answer = event('question.answered', { questionId: 'u3-0', answer: { outcome: 'happened' }, by: 'ada' })
    expect(stateOf(...play(begun(), 'person')).usage.steps).toBe(1)
    expect(stateOf(...play(begun(), 'person'), answer).usage.steps).toBe(2)
    expect(stateOf(...play(begun(), 'model')).usage.steps).toBe(2)
    expect(stateOf(...play(begun(), 'end')).usage.steps).toBe(2)
  })

  it('ends the mission at once by its policy, with the other calls unknown too, and even while it is paused', () => {
    const two = [
      ...begun(),
      event('tool.started', { callId: 'c1', name: 'send', key: '3.1' }),
      event('mission.paused', { by: 'ada' }),
      event('tool.unknown', { callId: 'c0', name: 'send', key: '3.0', reason: 'It broke.', policy: 'end' }),
    ]
    const [other, end] = appended(two, 'end')
    expect(other).toMatchObject({ type: 'tool.unknown', data: { callId: 'c1' } })
    expect(end).toMatchObject({ type: 'mission.failed', data: { code: 'unknown_outcome' } })
    expect((end as { data: { message: string } }).data.message).toBe(
      'Nobody knows whether this call was carried out: send with {"to":"Ada"}. It broke.',
    )
  })
})

it('at the end of a mission nobody is asked any more', () => {
  const events = failure(stateOf(...begun()), { code: 'limit_steps', message: 'Over' })
  expect(events.map(({ type }) => type)).toEqual(['tool.unknown', 'mission.failed'])
  expect(events[0]?.data).not.toHaveProperty('policy')
})

it('an answer to a question of its own is told as ever', () => {
  const state = stateOf(created(), started(), answered('', 'ask_user'), asked(), {
    type: 'question.answered',
    data: { questionId: 'q', answer: 'green', by: 'ada' },
  })
  expect(state.turns.at(-1)).toMatchObject({ content: '{"answer":"green"}' })
})
