import { describe, expect, test } from 'vitest'
import type { EventDraft } from '../../src/domain/event.ts'
import { nextDecision, type DecisionInput } from '../../src/engine/next-decision.ts'
import { answered, asked, created, event, finished, journal, START, started } from '../support/journal.ts'

const PROFILE = {
  name: 'dev',
  model: {},
  instructions: 'Do it.',
  tools: [{ name: 'read_file', description: 'Reads', parameters: {}, effect: 'read' }],
  limits: { steps: 10, tokens: 1000, costUsd: '1', wallMs: 3_600_000 },
  prices: {},
  egress: { allow: [] },
}

function input(...drafts: EventDraft[]): DecisionInput {
  return { v: 1, journal: journal(...drafts).map((row) => ({ v: 1, ...row })), profile: PROFILE, now: START + 60_000 }
}

function decided(...drafts: EventDraft[]): unknown {
  const found = nextDecision(input(...drafts))
  return found.readable ? JSON.parse(found.decision) : found
}

describe('what a build would do next', () => {
  test.each<[string, EventDraft[], object[]]>([
    ['start', [created()], [{ do: 'append', event: { type: 'mission.started', data: { instance: 'check-deploy' } } }]],
    ['ask the model', [created(), started()], [{ do: 'callModel' }]],
    [
      'run a tool, also where one is under way',
      [created(), started(), answered('', 'read_file', 'read_file'), finished('c0', 'text')],
      [{ do: 'runTool', key: '3.1', call: { id: 'c1', name: 'read_file', arguments: '{}' } }],
    ],
    [
      'wait',
      [created(), started(), answered('', 'read_file'), asked()],
      [{ do: 'wait', waiting: { kind: 'question', wakeAt: START + 1000 + 3_600_000 } }],
    ],
    ['stop', [created(), event('mission.cancelled', { by: 'me' })], [{ do: 'stop' }]],
  ])('%s', (_, drafts, actions) => {
    expect(decided(...drafts)).toEqual(actions)
  })

  test('follows the time that is given', () => {
    const late = asked({ deadline: new Date(START + 10_000).toISOString() })
    const waiting = input(created(), started(), answered('', 'read_file'), late)
    expect(nextDecision({ ...waiting, now: START + 9_000 })).toMatchObject({
      decision: expect.stringMatching('"wait"'),
    })
    expect(nextDecision(waiting)).toMatchObject({ decision: expect.stringMatching('question.expired') })
  })

  test('does not depend on the order of members', () => {
    const found = nextDecision(input(created()))
    expect(found).toEqual({
      readable: true,
      decision: '[{"do":"append","event":{"data":{"instance":"check-deploy"},"type":"mission.started"}}]',
    })
  })
})

describe('what a build can not read', () => {
  const whole = input(created(), started())
  const [first, second] = whole.journal as [DecisionInput['journal'][0], DecisionInput['journal'][0]]
  test.each<[string, Partial<DecisionInput>, RegExp]>([
    ['a type', { journal: [first, { ...second, type: 'mission.sung' }] }, /^Event 2 \(mission.sung, v1\) .*not know/],
    ['a version', { journal: [first, { ...second, v: 99 }] }, /^Event 2 has version 99/],
    ['a shape', { journal: [first, { ...second, data: {} }] }, /^Event 2 .*instance/],
    ['a gap', { journal: [first, { ...second, seq: 3 }] }, /^Event 3 follows event 1/],
    ['an empty journal', { journal: [] }, /empty/],
    ['a profile', { profile: { ...PROFILE, tools: 'all' } }, /^Its profile can't be read: tools: /],
  ])('%s is said', (_, over, why) => {
    expect(nextDecision({ ...whole, ...over })).toEqual({ readable: false, why: expect.stringMatching(why) })
  })

  test('an input of a form to come is no journal at all', () => {
    expect(() => nextDecision({ ...whole, v: 2 } as unknown as DecisionInput)).toThrow('expected 1')
  })
})
