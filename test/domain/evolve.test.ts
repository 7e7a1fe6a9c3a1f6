import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decide } from '../../src/domain/decide.ts'
import type { EventDraft, MissionEvent } from '../../src/domain/event.ts'
import { evolve, fold } from '../../src/domain/evolve.ts'
import { parseEvent } from '../../src/domain/parse-event.ts'
import type { MissionState } from '../../src/domain/state.ts'
import { answered, created, event, finished, journal, START, started, stateOf } from '../support/journal.ts'

it('a gap, a repetition and an event after the end are refused', () => {
  const [first, second] = journal(created(), started())
  expect(() => fold([second as MissionEvent])).toThrow('Event 2 follows event 0')
  expect(() => fold([first, { ...second, seq: 3 }] as MissionEvent[])).toThrow('Event 3 follows event 1')
  expect(() => fold(journal(created(), event('mission.cancelled', { by: 'x' }), started()))).toThrow("can't follow")
  expect(() => fold([])).toThrow('empty')
})

it('counts every model call and every settled tool call as a step', () => {
  const state = stateOf(created(), started(), answered('', 'read_file', 'wait'), finished('c0', 'x'))
  expect(state.usage).toEqual({ steps: 2, inputTokens: 10, outputTokens: 5, costUsd: '0.01' })
  expect(state.calls.map(({ status }) => status)).toEqual(['settled', 'pending'])
})

it('a result that comes twice counts once', () => {
  const once = stateOf(created(), started(), answered('', 'read_file'), finished('c0', 'x'))
  const twice = stateOf(created(), started(), answered('', 'read_file'), finished('c0', 'x'), finished('c0', 'y'))
  expect({ ...twice, seq: once.seq }).toEqual(once)
})

it('a file written again takes the place of the one before', () => {
  const write = (sha256: string) =>
    event('tool.finished', {
      callId: 'c0',
      name: 'write_file',
      effect: 'idempotent',
      output: 'ok',
      files: [{ name: 'a', bytes: 1, sha256 }],
      durationMs: 1,
    })
  const state = stateOf(
    created(),
    started(),
    answered('', 'write_file'),
    write('1'),
    answered('', 'write_file'),
    write('2'),
  )
  expect(state.files).toEqual([{ name: 'a', bytes: 1, sha256: '2' }])
})

describe('a file that two calls of one answer write', () => {
  const write = (callId: string, sha256: string) =>
    event('tool.finished', {
      callId,
      name: 'write_file',
      effect: 'idempotent',
      output: 'ok',
      files: [{ name: 'a', bytes: 1, sha256 }],
      durationMs: 1,
    })
  const both = [created(), started(), answered('', 'write_file', 'write_file')]

  it.each([
    ['first', [write('c1', 'new'), write('c0', 'old')]],
    ['last', [write('c0', 'old'), write('c1', 'new')]],
  ])('is what the later call wrote, also where that was recorded %s', (_, writes) => {
    expect(stateOf(...both, ...writes).files).toEqual([{ name: 'a', bytes: 1, sha256: 'new' }])
  })

  it('is taken over by any call of the next answer', () => {
    const state = stateOf(
      ...both,
      write('c1', 'new'),
      write('c0', 'old'),
      answered('', 'write_file'),
      write('c0', 'newer'),
    )
    expect(state.files).toEqual([{ name: 'a', bytes: 1, sha256: 'newer' }])
  })
})

it('a source that comes again takes the place of the one before', () => {
  const found = (...sources: { id: string; title: string }[]) => [
    answered('', 'search_documents'),
    event('tool.finished', {
      callId: 'c0',
      name: 'search_documents',
      effect: 'read',
      output: 'x',
      durationMs: 1,
      sources,
    }),
  ]
  const [a, b, newer] = [
    { id: 'a', title: 'A' },
    { id: 'b', title: 'B' },
    { id: 'a', title: 'A, renamed' },
  ]
  const state = stateOf(created(), started(), ...found(a, b), ...found(newer))
  expect(state.sources).toEqual([b, newer])
})

it.each(['', ' ', '\n\n'])('an answer that says only %j leaves the latest text as it is', (nothing) => {
  const state = stateOf(
    created(),
    started(),
    answered('ACME owes 12.', 'read_file'),
    finished('c0', 'x'),
    answered(nothing, 'read_file'),
  )
  expect(state.lastText).toBe('ACME owes 12.')
})

it.each([[], ['read_file']])(
  'a text that the content filter stopped is not the latest text (calls: %s)',
  (...calls) => {
    const { data } = answered('He took the', ...calls)
    const filtered = { type: 'model.answered', data: { ...data, finishReason: 'content_filter' } } as EventDraft
    const state = stateOf(created(), started(), answered('So far', 'read_file'), finished('c0', 'x'), filtered)
    expect(state.lastText).toBe('So far')
  },
)

describe('a question', () => {
  const asked = event('question.asked', {
    questionId: 'q3-0',
    callId: 'c0',
    kind: 'question',
    text: '?',
    schema: {},
    onDeadline: {
      action: 'continue',
      answer: 'blue',
    },
  })
  const open = [created(), started(), answered('', 'ask_user'), asked]

  it('once answered is closed and told to the model', () => {
    const state = stateOf(...open, event('question.answered', { questionId: 'q3-0', answer: 'red', by: 'x' }))
    expect(state.questions).toEqual([])
    expect(state.closedQuestions).toEqual({ 'q3-0': 'answered' })
    expect(state.turns.at(-1)).toEqual({ role: 'tool', callId: 'c0', name: 'ask_user', content: '{"answer":"red"}' })
  })

  it('that expired gives its default answer, marked as such', () => {
    const state = stateOf(...open, event('question.expired', { questionId: 'q3-0' }))
    expect(state.turns.at(-1)).toMatchObject({ content: '{"expired":true,"answer":"blue"}' })
  })
})

it('an unknown type, a future version and a wrong shape are named', () => {
  const row = { seq: 7, v: 1, type: 'mission.started', data: { instance: 'i' }, at: START }
  expect(parseEvent(row)).toMatchObject({ seq: 7, type: 'mission.started' })
  expect(() => parseEvent({ ...row, type: 'mission.vanished' })).toThrow('Event 7 (mission.vanished, v1)')
  expect(() => parseEvent({ ...row, type: 'toString' })).toThrow('does not know the type')
  expect(() => parseEvent({ ...row, v: 2 })).toThrow('version 2')
  expect(() => parseEvent({ ...row, data: {} })).toThrow('instance')
})

describe('any history', () => {
  const step = fc.oneof(
    fc.record({ what: fc.constant('text' as const), text: fc.string() }),
    fc.record({
      what: fc.constant('calls' as const),
      names: fc.array(fc.constantFrom('read_file', 'rm', 'wait', 'ask_user', 'make_plan'), {
        minLength: 1,
        maxLength: 4,
      }),
    }),
    fc.record({ what: fc.constant('failure' as const), retry: fc.boolean() }),
  )

  /** Plays a mission to its end or to its first wait, with tools that answer at once and models that answer as told. */
  function play(script: fc.RandomGenerator | unknown[], hurry: number): { state: MissionState; drafts: EventDraft[] } {
    const turns = [...(script as { what: string; text?: string; names?: string[]; retry?: boolean }[])]
    let drafts: EventDraft[] = [created()]
    for (let i = 0; i < 200; i++) {
      const state = fold(journal(...drafts))
      const tools = new Set(['read_file', 'wait', 'ask_user', 'make_plan'])
      const actions = decide(state, START + drafts.length * 1000 + hurry, { instance: 'i', tools, inFlight: new Set() })
      const more = actions.flatMap((action): EventDraft[] => {
        if (action.do === 'append') return [action.event]
        if (action.do === 'runTool') return [finished(action.call.id, 'out')]
        if (action.do !== 'callModel') return []
        const turn = turns.shift()
        if (turn?.what === 'calls')
          return [
            answered(
              '',
              ...(turn.names as string[]).map((name): [string, unknown] => [
                name,
                { seconds: 1, question: '?', items: [{ id: 'a', title: 'A', status: 'done' }] },
              ]),
            ),
          ]
        if (turn?.what === 'failure')
          return [
            event('model.failed', {
              model: 'm',
              error: { code: 'x', message: 'x' },
              retry: turn.retry ?? false,
              durationMs: 1,
            }),
          ]
        return [answered(turn?.text === undefined || turn.text === '' ? 'done' : turn.text)]
      })
      if (more.length === 0) return { state, drafts }
      // One at a time where the engine would append one at a time; a batch of appends goes together.
      drafts = [...drafts, ...(actions[0]?.do === 'append' ? more : more.slice(0, 1))]
    }
    throw new Error('The mission does not end')
  }

  it('ends or waits, and stays as it is when decided again', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 8 }), fc.nat(400_000), (script, hurry) => {
        const { state } = play(script, hurry)
        const again = decide(state, START + 10_000_000, { instance: 'i', tools: new Set(), inFlight: new Set() })
        if (state.outcome !== undefined) expect(again).toEqual([{ do: 'stop' }])
        const open = state.calls.filter(({ status }) => status === 'pending')
        const spokenFor = state.calls.filter(({ status }) => status === 'asked' || status === 'sleeping')
        const stepsLeft = state.limits.steps - state.usage.steps - spokenFor.length
        expect(stepsLeft).toBeGreaterThanOrEqual(0)
        if (state.outcome === undefined && stepsLeft > 0) expect(open).toEqual([])
      }),
      { numRuns: 300 },
    )
  })

  it('folds the same in one go and event by event, after a round through JSON', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 6 }), fc.nat(400_000), (script, hurry) => {
        const events = journal(...play(script, hurry).drafts)
        const stored = events.map((e) =>
          parseEvent({ seq: e.seq, v: 1, type: e.type, data: JSON.parse(JSON.stringify(e.data)), at: e.at }),
        )
        let state: MissionState | undefined
        for (const one of stored) state = evolve(state, one)
        expect(JSON.parse(JSON.stringify(state))).toEqual(JSON.parse(JSON.stringify(fold(events))))
      }),
      { numRuns: 200 },
    )
  })
})
