import { describe, expect, it } from 'vitest'
import { decide, MODEL_STEP, MOST_AT_ONCE, type Abilities } from '../../src/domain/decide.ts'
import type { EventDraft } from '../../src/domain/event.ts'
import { MODEL_ATTEMPTS } from '../../src/domain/model-retry.ts'
import { answered, created, event, finished, START, started, stateOf } from '../support/journal.ts'

const abilities: Abilities = {
  instance: 'i1',
  tools: new Set(['read_file', 'write_file', 'ask_user', 'wait', 'make_plan']),
  inFlight: new Set(),
}
const SOON = START + 60_000

function next(events: EventDraft[], over: { now?: number; inFlight?: string[] } = {}) {
  return decide(stateOf(...events), over.now ?? SOON, { ...abilities, inFlight: new Set(over.inFlight) })
}

/** The types of what would be appended, or the kinds of the other actions. */
function words(events: EventDraft[], over: { now?: number; inFlight?: string[] } = {}) {
  return next(events, over).map((action) => (action.do === 'append' ? action.event.type : action.do))
}

const failedCall = event('model.failed', {
  model: 'm',
  error: { code: 'model_unavailable', message: 'down' },
  retry: true,
  durationMs: 1,
})

describe('what follows from a journal', () => {
  const table: [string, EventDraft[], string[]][] = [
    ['a new mission is started', [created()], ['mission.started']],
    ['a started one asks the model', [created(), started()], ['callModel']],
    ['an answer without calls is the result', [created(), started(), answered('Hello')], ['mission.completed']],
    ['calls run side by side', [created(), started(), answered('', 'read_file', 'read_file')], ['runTool', 'runTool']],
    [
      'only what is open runs',
      [created(), started(), answered('', 'read_file', 'read_file'), finished('c0', 'x')],
      ['runTool'],
    ],
    [
      'when all calls are done, the model reads on',
      [created(), started(), answered('', 'read_file'), finished('c0', 'x')],
      ['callModel'],
    ],
    ['a tool that is not in the profile is refused', [created(), started(), answered('', 'rm')], ['tool.failed']],
    [
      'a question is asked',
      [created(), started(), answered('', ['ask_user', { question: 'Colour?' }])],
      ['question.asked'],
    ],
    [
      'a plan is written down',
      [created(), started(), answered('', ['make_plan', { items: [{ id: 'a', title: 'A', status: 'pending' }] }])],
      ['plan.updated'],
    ],
    ['a timer is set', [created(), started(), answered('', ['wait', { seconds: 3 }])], ['timer.set']],
    [
      'bad arguments are refused with the reason',
      [created(), started(), answered('', ['wait', { seconds: -1 }])],
      ['tool.failed'],
    ],
    ['a paused mission rests', [created(), started(), event('mission.paused', { by: 'x' })], ['pause']],
    ['an ended one stops', [created(), event('mission.cancelled', { by: 'x' })], ['stop']],
    [
      'a call that was started and not finished has an unknown outcome',
      [
        created(),
        started(),
        answered('', 'write_file'),
        event('tool.started', { callId: 'c0', name: 'write_file', key: '3.0' }),
      ],
      ['tool.unknown'],
    ],
    [
      'after a failure that may pass, the model is asked again later',
      [created(), started(), failedCall],
      ['callModel'],
    ],
    [
      'after a failure that will not pass, the mission fails',
      [created(), started(), event('model.failed', { ...(failedCall.data as never as object), retry: false } as never)],
      ['mission.failed'],
    ],
    [
      'after too many failures in a row, the mission fails',
      [
        created({ limits: { steps: 100, tokens: 9999, costUsd: '9', wallMs: 9e9 } }),
        started(),
        ...Array.from({ length: MODEL_ATTEMPTS }, () => failedCall),
      ],
      ['mission.failed'],
    ],
  ]
  it.each(table)('%s', (_, events, expected) => {
    expect(words(events)).toEqual(expected)
  })

  it('waits between two attempts at the model', () => {
    expect(words([created(), started(), failedCall], { now: START + 2_500 })).toEqual(['wait'])
  })
})

describe('steps in flight', () => {
  it(`are ${MOST_AT_ONCE} at most`, () => {
    const many = Array.from({ length: 40 }, () => 'read_file')
    const events = [created({ limits: { steps: 99, tokens: 9999, costUsd: '9', wallMs: 9e9 } }), started()]
    expect(words([...events, answered('', ...many)])).toHaveLength(MOST_AT_ONCE)
    expect(words([...events, answered('', ...many)], { inFlight: ['3.0', '3.1'] })).toHaveLength(MOST_AT_ONCE - 2)
  })

  it('are not started again', () => {
    const asked = [created(), started()]
    expect(words(asked, { inFlight: [MODEL_STEP] })).toEqual([])
    const two = [created(), started(), answered('', 'read_file', 'read_file')]
    expect(next(two, { inFlight: ['3.0'] })).toMatchObject([{ do: 'runTool', key: '3.1' }])
  })

  it('keep a question from being waited for', () => {
    const events = [created(), started(), answered('', 'read_file', ['ask_user', { question: '?' }])]
    const asked = [
      ...events,
      event('question.asked', {
        questionId: 'q3-1',
        callId: 'c1',
        kind: 'question',
        text: '?',
        schema: {},
        onDeadline: { action: 'continue' },
      }),
    ]
    expect(words(asked, { inFlight: ['3.0'] })).toEqual([])
    expect(words([...asked, finished('c0', 'x')])).toEqual(['wait'])
  })

  it('do not make a once call unknown while it runs here', () => {
    const events = [
      created(),
      started(),
      answered('', 'write_file'),
      event('tool.started', { callId: 'c0', name: 'write_file', key: '3.0' }),
    ]
    expect(words(events, { inFlight: ['3.0'] })).toEqual([])
  })
})

describe('waiting', () => {
  const asked = (over: object = {}) =>
    event('question.asked', {
      questionId: 'q3-0',
      callId: 'c0',
      kind: 'question',
      text: 'Colour?',
      schema: {},
      onDeadline: { action: 'continue' },
      ...over,
    })
  const question = (over: object = {}) => [
    created(),
    started(),
    answered('', ['ask_user', { question: 'Colour?' }]),
    asked(over),
  ]

  it('for a person ends at the wall time at the latest', () => {
    expect(next(question())).toEqual([
      { do: 'wait', waiting: { kind: 'question', until: undefined, wakeAt: START + 1000 + 3_600_000 } },
    ])
  })

  it('for a person until the deadline of the question', () => {
    const deadline = new Date(SOON + 1).toISOString()
    expect(next(question({ deadline }))).toMatchObject([{ do: 'wait', waiting: { until: SOON + 1, wakeAt: SOON + 1 } }])
    expect(words(question({ deadline }), { now: SOON + 1 })).toEqual(['question.expired'])
  })

  it('goes on to a failure where the question said so', () => {
    const deadline = new Date(SOON).toISOString()
    expect(words(question({ deadline, onDeadline: { action: 'fail' } }))).toEqual([
      'question.expired',
      'mission.failed',
    ])
  })

  it('for a timer never ends early', () => {
    const until = new Date(SOON).toISOString()
    const events = [
      created(),
      started(),
      answered('', ['wait', { seconds: 57 }]),
      event('timer.set', { timerId: 't3-0', callId: 'c0', until }),
    ]
    expect(words(events, { now: SOON - 1 })).toEqual(['wait'])
    expect(words(events, { now: SOON })).toEqual(['timer.fired'])
    expect(words([...events, event('timer.fired', { timerId: 't3-0' })])).toEqual(['callModel'])
  })
})

describe('limits', () => {
  const limited = (limits: object) =>
    created({ limits: { steps: 10, tokens: 1000, costUsd: '1', wallMs: 3_600_000, ...limits } })
  const worked = [started(), answered('', 'read_file'), finished('c0', 'x')]
  const table: [string, EventDraft[], string][] = [
    ['steps', [limited({ steps: 2 }), ...worked], 'limit_steps'],
    ['tokens', [limited({ tokens: 15 }), ...worked], 'limit_tokens'],
    ['money', [limited({ costUsd: '0.01' }), ...worked], 'limit_costUsd'],
    ['wall time', [limited({ wallMs: 59_000 }), ...worked], 'limit_wallMs'],
    ['a deadline', [created({ deadline: new Date(SOON).toISOString() }), ...worked], 'limit_deadline'],
  ]
  it.each(table)('of %s end a mission by name', (_, events, code) => {
    expect(next(events)).toMatchObject([{ do: 'append', event: { type: 'mission.failed', data: { code } } }])
  })

  it('of steps holds for calls that were asked for together', () => {
    const many = Array.from({ length: 5 }, () => 'read_file')
    const events = [limited({ steps: 4 }), started(), answered('', ...many)]
    expect(words(events)).toEqual(['runTool', 'runTool', 'runTool'])
    expect(words(events, { inFlight: ['3.0', '3.1', '3.2'] })).toEqual([])
    expect(words([...events, finished('c0', 'x')], { inFlight: ['3.1', '3.2'] })).toEqual([])
  })

  it('do not take an answer away that was paid for', () => {
    expect(words([limited({ steps: 1 }), started(), answered('Hello')])).toEqual(['mission.completed'])
  })
})

describe('what a mission has so far', () => {
  const limited = created({
    limits: { steps: 2, tokens: 1000, costUsd: '1', wallMs: 3_600_000 },
    files: [{ name: 'in.csv', bytes: 1, sha256: 'a' }],
  })

  it('goes with the failure that ends it: the latest text and the files that it wrote', () => {
    const done = event('tool.finished', {
      callId: 'c0',
      name: 'write_file',
      effect: 'idempotent',
      output: 'ok',
      files: [{ name: 'out.txt', bytes: 2, sha256: 'b' }],
      durationMs: 1,
    })
    expect(next([limited, started(), answered('I write it down', 'write_file'), done])).toMatchObject([
      {
        event: {
          type: 'mission.failed',
          data: {
            code: 'limit_steps',
            result: { text: 'I write it down', files: [{ name: 'out.txt', bytes: 2, sha256: 'b' }] },
          },
        },
      },
    ])
  })

  it('is left out where there is nothing', () => {
    const [action] = next([limited, started(), answered('', 'read_file'), finished('c0', 'x')])
    expect(action).toMatchObject({ event: { type: 'mission.failed' } })
    expect(action).not.toHaveProperty('event.data.result')
  })
})

it('an answer cites the sources that it names, and no others', () => {
  const sources = [
    { id: 'doc-1', title: 'One' },
    { id: '2', title: 'Two' },
    { id: 'https://example.com/a', url: 'https://example.com/a' },
  ]
  const done = event('tool.finished', {
    callId: 'c0',
    name: 'read_file',
    effect: 'read',
    output: 'x',
    durationMs: 1,
    sources,
  })
  const text = 'See [doc-1] and https://example.com/a; 2 are enough.'
  expect(next([created(), started(), answered('', 'read_file'), done, answered(text)])).toMatchObject([
    { event: { data: { result: { citations: [sources[0], sources[2]] } } } },
  ])
})

it('a plan whose items wait for each other is refused with the circle', () => {
  const item = (id: string, dependsOn: string[]) => ({ id, title: id, status: 'pending', dependsOn })
  const plan = { items: [item('a', ['c']), item('b', ['a']), item('c', ['b'])] }
  expect(next([created(), started(), answered('', ['make_plan', plan])])).toMatchObject([
    {
      event: {
        type: 'tool.failed',
        data: { error: { message: 'These items wait for each other: a -> c -> b -> a.' } },
      },
    },
  ])
})

it('a question with a schema that nobody could answer is refused', () => {
  const call = ['ask_user', { question: '?', schema: { type: 'colour' } }] as [string, unknown]
  expect(words([created(), started(), answered('', call)])).toEqual(['tool.failed'])
})

it('names the files that the mission wrote, not those that it was given', () => {
  const given = { name: 'in.csv', bytes: 1, sha256: 'a' }
  const written = { name: 'out.txt', bytes: 2, sha256: 'b' }
  const done = event('tool.finished', {
    callId: 'c0',
    name: 'write_file',
    effect: 'idempotent',
    output: 'ok',
    files: [written],
    durationMs: 1,
  })
  const events = [created({ files: [given] }), started(), answered('', 'write_file'), done, answered('Done')]
  expect(next(events)).toMatchObject([{ event: { data: { result: { text: 'Done', files: [written] } } } }])
})
