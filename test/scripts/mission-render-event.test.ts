import picocolors from 'picocolors'
import { expect, test } from 'vitest'
import { renderEvent, type RenderState } from '../../scripts/mission/render-event.ts'
import { displayWidth } from '../../scripts/mission/text.ts'
import { emptyView, nextView } from '../../scripts/mission/view.ts'

const at = '2026-03-01T12:00:00.000Z'
const bare = picocolors.createColors(false)
const usage = { inputTokens: 1204, outputTokens: 85, costUsd: '0' }
const calls = new Map([['c1', '{"file":"invoices.csv"}']])
const items = [
  { id: 'a', title: 'Read the file', status: 'done' },
  { id: 'b', title: 'Add it up', status: 'in_progress' },
  { id: 'c', title: 'Tell', status: 'pending' },
]

/** Figures stand at the right margin. */
function spread(left: string, right: string): string {
  return left.padEnd(80 - right.length) + right
}

function render(type: string, data: Record<string, unknown> = {}, state: Partial<RenderState> = {}): string[] {
  return renderEvent({ seq: 1, type, at, data }, { ...emptyView, calls, columns: 80, colors: bare, ...state })
}

test.each<[string, Record<string, unknown>, string[]]>([
  ['mission.created', { profile: { name: 'dev', hash: 'x' }, files: [{}] }, ['● created   profile dev with 1 file']],
  [
    'mission.created',
    { profile: { name: 'dev', hash: 'x' }, files: [], forkedFrom: { id: 'm1', seq: 1234 } },
    ['● created   profile dev', '            goes on from event 1,234 of m1'],
  ],
  ['mission.started', { instance: 'i' }, ['● started']],
  [
    'model.answered',
    { model: 'demo', text: '\nI add it up.\nThen more.', toolCalls: [], usage, durationMs: 312 },
    [spread('◆ model     demo', '312 ms · 1,204 in, 85 out'), '            I add it up.'],
  ],
  [
    'model.answered',
    {
      model: 'demo',
      toolCalls: [
        { id: 'c1', name: 'total_csv', arguments: '{}' },
        { id: 'c2', name: 'read_file', arguments: '{}' },
      ],
      usage: { ...usage, costUsd: '0.0012', estimated: true },
      durationMs: 61_000,
    },
    [spread('◆ model     demo', '1 min 1 s · ~1,204 in, 85 out · $0.0012'), '            → total_csv, read_file'],
  ],
  [
    'model.answered',
    { model: 'demo', text: 'Once upon', toolCalls: [], finishReason: 'length', usage, durationMs: 1 },
    [
      spread('◆ model     demo', '1 ms · 1,204 in, 85 out'),
      '            Once upon',
      '            cut at its length limit',
    ],
  ],
  [
    'model.answered',
    {
      model: 'demo',
      toolCalls: [],
      finishReason: 'content_filter',
      contentFilter: ['violence (high)', 'hate (low)'],
      usage,
      durationMs: 1,
    },
    [
      spread('◆ model     demo', '1 ms · 1,204 in, 85 out'),
      '            stopped by the content filter: violence (high), hate (low)',
    ],
  ],
  [
    'model.failed',
    { model: 'demo', error: { code: 'rate_limited', message: 'Too many requests.' }, retry: true, durationMs: 1200 },
    [spread('✘ model     demo', '1.2 s'), '            rate_limited: Too many requests. It is tried again.'],
  ],
  [
    'tool.started',
    { callId: 'c1', name: 'send_mail', key: 'k' },
    ['▸ tool      send_mail starts {"file":"invoices.csv"}'],
  ],
  [
    'tool.finished',
    { callId: 'c1', name: 'total_csv', effect: 'read', output: '…', durationMs: 12 },
    [spread('✔ tool      total_csv {"file":"invoices.csv"}', '12 ms')],
  ],
  [
    'tool.failed',
    { callId: 'c9', name: 'fetch_url', error: { code: 'refused', message: 'Not allowed.' }, durationMs: 5 },
    [spread('✘ tool      fetch_url', '5 ms'), '            refused: Not allowed.'],
  ],
  [
    'tool.unknown',
    { callId: 'c1', name: 'send_mail', key: 'k' },
    [
      '! tool      send_mail {"file":"invoices.csv"}',
      '            Nobody knows whether it was done: it was cut off, and is not run ag…',
    ],
  ],
  [
    'tool.unknown',
    { callId: 'c1', name: 'send_mail', key: 'k', reason: 'The answer never came.' },
    [
      '! tool      send_mail {"file":"invoices.csv"}',
      '            The answer never came.',
      '            Nobody knows whether it was done: it is not run again.',
    ],
  ],
  [
    'plan.updated',
    { callId: 'c1', items },
    ['☰ plan      1 of 3 done', '            ☑ Read the file', '            ▸ Add it up', '            ☐ Tell'],
  ],
  [
    'question.asked',
    { questionId: 'q1', kind: 'question', text: 'Which colour?', schema: {}, deadline: '2026-03-02T00:00:00.000Z' },
    ['? question  Which colour?', '            to be answered by 2026-03-02 00:00:00 UTC'],
  ],
  ['question.reminded', { questionId: 'q1' }, ['? question  is still open']],
  ['question.answered', { questionId: 'q1', answer: 'blue', by: 'ann' }, ['✔ answer    blue by ann']],
  ['question.answered', { questionId: 'q1', answer: { approved: true } }, ['✔ answer    {"approved":true}']],
  ['question.expired', { questionId: 'q1' }, ['! question  was not answered in time']],
  ['budget.granted', { limits: { steps: 5 } }, ['● budget    granted: {"steps":5}']],
  ['budget.exhausted', { limit: 'tokens' }, ['! budget    used up: tokens']],
  [
    'timer.set',
    { timerId: 't1', callId: 'c1', until: '2026-03-01T12:00:05.000Z' },
    ['◷ timer     waits 5.0 s until 2026-03-01 12:00:05 UTC'],
  ],
  ['timer.fired', { timerId: 't1' }, ['◷ timer     the wait is over']],
  ['timer.fired', { timerId: 't1', early: true }, ['◷ timer     a message ended the wait']],
  ['mission.paused', { by: 'ann', reason: 'lunch' }, ['● paused    by ann: lunch']],
  ['mission.resumed', { by: 'ann' }, ['● resumed   by ann']],
  ['mission.message', { role: 'user', content: 'Also June.', by: 'ann' }, ['● message   Also June. by ann']],
  ['child.started', { childId: 'm2', callId: 'c1' }, ['● child     m2 started']],
  ['child.ended', { childId: 'm2', status: 'completed' }, ['● child     m2 completed']],
  ['context.compacted', { summary: 's', uptoSeq: 9 }, ['● context   earlier steps were summed up']],
  ['mission.completed', { result: { text: 'x' } }, ['■ completed']],
  ['mission.failed', { code: 'limit_steps', message: 'Too long.', hint: 'h' }, ['■ failed    limit_steps: Too long.']],
  ['mission.cancelled', { by: 'ann' }, ['■ cancelled by ann']],
  ['weather.changed', { sky: 'grey' }, ['· event     weather.changed']],
  ['toString', {}, ['· event     toString']],
  ['tool.finished', { name: 7 }, ['· event     tool.finished']],
])('%s is shown as a person reads it', (type, data, lines) => {
  expect(render(type, data)).toEqual(lines)
})

test('a plan that was shown before shows only the items that changed', () => {
  const before = nextView(emptyView, { seq: 1, type: 'plan.updated', at, data: { items } })
  const ticked = items.map((item) => (item.id === 'b' ? { ...item, status: 'done' } : item))
  expect(render('plan.updated', { items: ticked }, before)).toEqual([
    '☰ plan      2 of 3 done',
    '            ☑ Add it up',
  ])
})

test('a tool is shown with the arguments that the model chose for it', () => {
  const toolCalls = [{ id: 'c7', name: 'read_file', arguments: '{"name":\n "a.txt"}' }]
  const view = nextView(emptyView, {
    seq: 1,
    type: 'model.answered',
    at,
    data: { model: 'm', toolCalls, usage, durationMs: 1 },
  })
  expect(render('tool.finished', { callId: 'c7', name: 'read_file', durationMs: 1 }, view)[0]).toContain(
    'read_file {"name": "a.txt"}',
  )
})

test.each([40, 60, 80, 200])('no line is wider than %i columns, whatever the script', (columns) => {
  const text = '請給我一個很長的答案 👩‍👩‍👧 with some more words in it '.repeat(6)
  const lines = [
    ...render('model.answered', { model: text, text, toolCalls: [], usage, durationMs: 1 }, { columns }),
    ...render('tool.finished', { callId: 'c1', name: 'n', durationMs: 1 }, { columns, calls: new Map([['c1', text]]) }),
    ...render('question.asked', { questionId: 'q', kind: 'question', text, schema: {} }, { columns }),
  ]
  expect(Math.max(...lines.map(displayWidth))).toBeLessThanOrEqual(columns)
})

test('escape sequences in what a model wrote do not reach the terminal', () => {
  const text = '\u001b[2J\u001b]0;title\u0007\u009b31mred\u202e\u0008'
  const [, line] = render('model.answered', { model: 'm', text, toolCalls: [], usage, durationMs: 1 })
  expect(line?.trim()).toBe('red')
})

test('colours are added only where they are asked for', () => {
  const [line] = render('mission.completed', {}, { colors: picocolors.createColors(true) })
  expect(line).toContain('\u001b[32m■')
})
