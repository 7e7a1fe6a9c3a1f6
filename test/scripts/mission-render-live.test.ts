import fc from 'fast-check'
import picocolors from 'picocolors'
import { describe, expect, test } from 'vitest'
import { renderLive, type LiveView, type Screen } from '../../scripts/mission/render-live.ts'
import { createServerClock } from '../../scripts/mission/server-clock.ts'
import { displayWidth } from '../../scripts/mission/text.ts'
import { emptyView, nextView } from '../../scripts/mission/view.ts'
import type { EventDraft } from '../../src/domain/event.ts'
import { fold } from '../../src/domain/evolve.ts'

/** The mission starts here; event n comes n seconds later. */
const START = Date.UTC(2026, 2, 1, 12)
const bare = picocolors.createColors(false)
const usage = { inputTokens: 1000, outputTokens: 50, costUsd: '0.001' }
const limits = { steps: 50, tokens: 100_000, costUsd: '1', wallMs: 60_000 }

const created: EventDraft = {
  type: 'mission.created',
  data: {
    messages: [{ role: 'user', content: 'Do it' }],
    profile: { name: 'dev', hash: 'x' },
    limits,
    labels: {},
    files: [],
    priority: 0,
  },
}
const started: EventDraft = { type: 'mission.started', data: { instance: 'i' } }

function answered(names: string[], more: Partial<typeof usage> & { estimated?: boolean } = {}): EventDraft {
  const toolCalls = names.map((name) => ({ id: name, name, arguments: `{"of":"${name}"}` }))
  return { type: 'model.answered', data: { model: 'm', toolCalls, usage: { ...usage, ...more }, durationMs: 1 } }
}

function finished(name: string): EventDraft {
  return { type: 'tool.finished', data: { callId: name, name, effect: 'read', output: '', durationMs: 1 } }
}

function plan(items: number, done: number): EventDraft {
  const statusOf = (index: number) => (index < done ? 'done' : index === done ? 'in_progress' : 'pending')
  const list = Array.from({ length: items }, (_, index) => {
    return { id: `${index}`, title: `Item ${index}`, status: statusOf(index) } as const
  })
  return { type: 'plan.updated', data: { callId: 'make_plan', items: list } }
}

function at(index: number): string {
  return new Date(START + index * 1000).toISOString()
}

function viewAfter(...events: EventDraft[]): LiveView {
  return events.reduce(
    (view, { type, data }, index) => nextView(view, { seq: index + 1, type, at: at(index), data }),
    emptyView,
  )
}

const size = { columns: 60, rows: 15, colors: bare }

/** A second and a half after the last event, unless told otherwise; the spinner stands still. */
function draw(events: EventDraft[], screen: Partial<Screen> = {}, more: Partial<LiveView> = {}): string[] {
  const now = START + (events.length - 1) * 1000 + 1500
  const lines = renderLive({ ...viewAfter(...events), ...more }, { now, ...size, ...screen })
  return lines.map((line) => line.replace(/^[\u2801-\u28ff]/, '⠋'))
}

/** Figures stand at the right margin. */
function spread(left: string, right: string): string {
  return left.padEnd(60 - right.length) + right
}

function question(deadline?: string): EventDraft {
  const data = { questionId: 'q', callId: 'ask', kind: 'question', text: 'Which?', schema: {}, deadline } as const
  return { type: 'question.asked', data: { ...data, onDeadline: { action: 'continue' } } }
}

const error = { code: 'rate_limited', message: 'Slow down.' }
const modelFailed = { type: 'model.failed', data: { model: 'm', error, retry: true, durationMs: 1 } } as const
const timer: EventDraft = { type: 'timer.set', data: { timerId: 't', callId: 'wait', until: at(63) } }

describe('the live view shows', () => {
  test.each<[string, EventDraft[], string[]]>([
    ['that it connects', [], ['⠋ mission   connects']],
    ['that the mission waits to be started', [created], [spread('⠋ mission   waits to be started', '1.5 s')]],
    ['that the model thinks after the start', [created, started], [spread('⠋ model     thinks', '1.5 s')]],
    [
      'each call without a result',
      [created, started, answered(['a', 'b', 'c']), finished('b')],
      [spread('⠋ tool      a {"of":"a"}', '2.5 s'), spread('⠋ tool      c {"of":"c"}', '2.5 s')],
    ],
    [
      'that the model thinks when the last call has its result',
      [created, started, answered(['a', 'b']), finished('b'), finished('a')],
      [spread('⠋ model     thinks', '1.5 s')],
    ],
    [
      'that the model is at it again where an answer led nowhere',
      [created, started, answered([])],
      [spread('⠋ model     thinks', '1.5 s')],
    ],
    [
      'how long a wait still takes',
      [created, started, answered(['wait']), timer],
      [spread('◷ timer     waits until 2026-03-01 12:01:03 UTC', '59 s left')],
    ],
    [
      'that a wait is over',
      [created, started, answered(['wait']), timer, { type: 'timer.fired', data: { timerId: 't' } }],
      [spread('⠋ model     thinks', '1.5 s')],
    ],
    [
      'an open question and its time',
      [created, started, answered(['ask']), question(at(124))],
      [spread('? question  Which?', '2 min left')],
    ],
    [
      'no question that was answered',
      [
        created,
        started,
        answered(['ask']),
        question(),
        { type: 'question.answered', data: { questionId: 'q', answer: 1, by: 'ann' } },
      ],
      [spread('⠋ model     thinks', '1.5 s')],
    ],
    [
      'when a model that failed is asked again',
      [created, started, modelFailed],
      [spread('◷ model     failed and is asked again', '1 s left')],
    ],
    [
      'that it is paused',
      [created, started, { type: 'mission.paused', data: { by: 'ann' } }],
      ['● mission   is paused'],
    ],
  ])('%s', (_, events, lines) => {
    expect(draw(events).slice(0, -1)).toEqual(lines)
  })

  test('a spinner that turns eight times a second', () => {
    const marks = [0, 125, 250, 375].map((ms) => renderLive(viewAfter(created), { ...size, now: START + ms })[0]?.[0])
    expect(new Set(marks).size).toBe(4)
  })

  test('nothing after the end', () => {
    expect(draw([created, started, { type: 'mission.cancelled', data: { by: 'ann' } }])).toEqual([])
  })

  test('a lost connection above what ran when it was lost', () => {
    const lost = { why: 'The connection was lost.', since: START + 1000 }
    expect(draw([created, started], {}, { lost }).slice(0, 2)).toEqual([
      spread('! offline   Connection lost, trying again The connec…', '1.5 s'),
      spread('⠋ model     thinks', '1.5 s'),
    ])
  })

  test('the plan with ticks, and steps, tokens, cost and time at the bottom', () => {
    expect(draw([created, started, answered(['make_plan']), plan(4, 1)])).toEqual([
      spread('⠋ model     thinks', '1.5 s'),
      '☰ plan      1 of 4 done',
      '            ✔ Item 0',
      '            ▸ Item 1',
      '            · Item 2',
      '            · Item 3',
      '2 steps · 1,000 in, 50 out tokens · $0.001 · 3.5 s',
    ])
  })

  test('of a long plan what is in progress, the item before and what follows', () => {
    const lines = draw([created, started, answered(['make_plan']), plan(30, 9)], { rows: 12 })
    expect(lines.slice(1, -1)).toEqual([
      '☰ plan      9 of 30 done',
      '            … 8 before',
      '            ✔ Item 8',
      '            ▸ Item 9',
      '            · Item 10',
      '            · Item 11',
      '            · Item 12',
      '            … 17 more',
    ])
  })

  test('the end of a long plan without a gap', () => {
    const lines = draw([created, started, answered(['make_plan']), plan(30, 28)], { rows: 10 })
    expect(lines.slice(2, -1)).toEqual([
      '            … 26 before',
      '            ✔ Item 26',
      '            ✔ Item 27',
      '            ▸ Item 28',
      '            · Item 29',
    ])
  })

  test('how many calls are missing where there is no room for all', () => {
    const lines = draw([created, started, answered(Array.from({ length: 20 }, (_, index) => `t${index}`))], { rows: 6 })
    expect(lines.slice(0, -1).map((line) => line.slice(0, 22).trim())).toEqual([
      '⠋ tool      t0 {"of":"',
      '⠋ tool      t1 {"of":"',
      '… 18 more',
    ])
  })

  test.each([
    [60, '1 step · ~1,000 in, 50 out tokens · $0.001 · 2.5 s'],
    [40, '1 step · ~1,050 tokens · $0.001 · 2.5 s'],
    [32, '~1,050 tokens · $0.001 · 2.5 s'],
    [20, '$0.001 · 2.5 s'],
  ])('what was used in %i columns, ~ where it is an estimate', (columns, line) => {
    expect(draw([created, started, answered([], { estimated: true })], { columns }).at(-1)).toBe(line)
  })
})

test('steps, tokens and cost so far are those that the API counts', () => {
  const events: EventDraft[] = [
    created,
    started,
    modelFailed,
    { ...modelFailed, data: { ...modelFailed.data, usage } },
    answered(['a', 'make_plan', 'ask', 'wait']),
    question(),
    timer,
    finished('a'),
    finished('a'),
    plan(3, 1),
    { type: 'question.expired', data: { questionId: 'q' } },
    { type: 'timer.fired', data: { timerId: 't' } },
    answered(['a', 'b'], { costUsd: '0.000000000001' }),
    { type: 'tool.failed', data: { callId: 'a', name: 'a', error, durationMs: 1 } },
    { type: 'tool.unknown', data: { callId: 'b', name: 'b', key: 'k' } },
  ]
  events.forEach((_, index) => {
    const some = events.slice(0, index + 1)
    const state = fold(some.map((event, seq) => ({ ...event, seq: seq + 1, at: START + seq * 1000 })))
    const { activity } = viewAfter(...some)
    expect({ ...activity.used, estimated: false }).toEqual({ ...state.usage, estimated: false })
    const open = state.calls.filter(({ status }) => status !== 'settled').map(({ call }) => call.id)
    expect(activity.open.map(({ id }) => id)).toEqual(open)
  })
})

test('no line is wider than the terminal, and there are never more than fit, whatever is going on', () => {
  const word = fc.constantFrom('請給我', '👩‍👩‍👧', '❤️', '𠀀', 'naïve', 'e\u0301', '🇨🇭', '\u001b[31m', '\n', 'a long word')
  const words = fc.array(word, { minLength: 1, maxLength: 30 }).map((list) => list.join(' '))
  const screens = fc.record({ columns: fc.integer({ min: 1, max: 150 }), rows: fc.integer({ min: 1, max: 60 }) })
  const status = fc.constantFrom('done', 'in_progress', 'pending', 'skipped', 'new')
  const items = fc.array(fc.record({ id: fc.uuid(), title: words, status }), { maxLength: 60 })
  const lost = fc.option(
    words.map((why) => ({ why, since: START })),
    { nil: undefined },
  )
  fc.assert(
    fc.property(screens, fc.array(words, { maxLength: 40 }), items, lost, words, (screen, names, list, loss, text) => {
      const draft = { afterSeq: 3, text }
      const view = { ...viewAfter(created, started, answered(names)), plan: list, lost: loss, draft }
      const lines = renderLive(view, { ...screen, now: START + 1e7, colors: bare })
      expect(Math.max(...lines.map(displayWidth))).toBeLessThanOrEqual(screen.columns)
      expect(lines.length).toBeLessThanOrEqual(Math.max(1, screen.rows - 2))
      expect(lines.join('')).not.toContain('\n')
      expect(lines.join('')).not.toContain('\u001b')
    }),
  )
})

describe('the time of the server', () => {
  test('goes on with the local clock from what it last told', () => {
    let local = 500
    const clock = createServerClock(() => local)
    clock.told(START)
    local += 1200
    expect(clock.now() - START).toBe(1200)
  })

  test('is that of the latest of the events that come in a burst, in any order', () => {
    const clock = createServerClock(() => 500)
    for (const after of [0, 5000, 3000, Number.NaN]) clock.told(START + after)
    expect(clock.now() - START).toBe(5000)
  })

  test('is never before an event that was seen, so that no step is shown as shorter than nothing', () => {
    const [, ...lines] = draw([created, started, answered(['a'])], { now: START - 5000 })
    expect(lines.join()).not.toContain('-')
    expect(draw([created, started], { now: START - 5000 })[0]).toContain('0.0 s')
  })
})
