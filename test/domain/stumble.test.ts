import { describe, expect, it } from 'vitest'
import { decide } from '../../src/domain/decide.ts'
import type { EventDraft } from '../../src/domain/event.ts'
import { MOST_STUMBLES } from '../../src/domain/stumble.ts'
import { answered, asked, created, event, finished, START, started, stateOf } from '../support/journal.ts'

const abilities = { instance: 'i1', tools: new Set(['read_file', 'ask_user', 'wait']), inFlight: new Set<string>() }
const roomy = created({ limits: { steps: 100, tokens: 100_000, costUsd: '9', wallMs: 9e9 } })

function next(...events: EventDraft[]) {
  return decide(stateOf(roomy, started(), ...events), START + 60_000, abilities)
}

/** An answer that ended as told. */
function ended(finishReason: string, text: string, ...calls: (string | [string, unknown])[]): EventDraft {
  const { type, data } = answered(text, ...calls)
  const contentFilter = finishReason === 'content_filter' ? ['violence (high)'] : undefined
  return { type, data: { ...data, finishReason, contentFilter } } as EventDraft
}

function refused(code: string): EventDraft {
  return event('tool.failed', { callId: 'c0', name: 'x', error: { code, message: code }, durationMs: 0 })
}

function times(n: number, ...events: EventDraft[]): EventDraft[] {
  return Array.from({ length: n }, () => events).flat()
}

describe('an answer that leads nowhere', () => {
  const table: [string, EventDraft[], string][] = [
    ['is empty', [answered(' \n')], 'model_empty_answer'],
    ['is cut off at its length', [ended('length', 'Once upon a ti')], 'model_cut_short'],
    ['is cut off before its first word', [ended('length', '')], 'model_cut_short'],
    ['is stopped by a filter', [ended('content_filter', 'He took the')], 'model_content_filter'],
    ['calls a tool that is not there', [answered('', 'rm'), refused('unknown_tool')], 'model_bad_calls'],
    ['calls a tool wrongly', [answered('', 'wait'), refused('bad_arguments')], 'model_bad_calls'],
    ['is cut off within a call', [ended('length', '', 'read_file'), refused('cut_short')], 'model_bad_calls'],
  ]
  it.each(table)('because it %s is followed by another, and by the end of the mission', (_, events, code) => {
    expect(next(...times(MOST_STUMBLES - 1, ...events))).toEqual([{ do: 'callModel' }])
    expect(next(...times(MOST_STUMBLES, ...events))).toMatchObject([
      { event: { type: 'mission.failed', data: { code } } },
    ])
  })

  it.each(table)('because it %s is forgotten when a call is taken up', (_, events) => {
    const good = [answered('', 'read_file'), finished('c0', 'x')]
    const before = times(MOST_STUMBLES - 1, ...events)
    expect(next(...before, ...good, ...before)).toEqual([{ do: 'callModel' }])
  })

  it('because its arguments for a `once` tool are refused counts, though the call had begun', () => {
    const begun = event('tool.started', { callId: 'c0', name: 'read_file', key: '3.0' })
    const events = times(MOST_STUMBLES, answered('', 'read_file'), begun, refused('bad_arguments'))
    expect(next(...events)).toMatchObject([{ event: { data: { code: 'model_bad_calls' } } }])
  })

  const takenUp: [string, EventDraft][] = [
    ['finishes', finished('c0', 'x')],
    ['fails by itself', refused('http_status')],
    ['may have happened', event('tool.unknown', { callId: 'c0', name: 'x', key: '3.0' })],
    ['is a question', asked()],
    ['is a wait', event('timer.set', { timerId: 't', callId: 'c0', until: new Date(START + 90_000).toISOString() })],
    ['is a plan', event('plan.updated', { callId: 'c0', items: [] })],
  ]
  it.each(takenUp)('is forgotten as soon as a call that %s is recorded', (_, progress) => {
    const state = stateOf(roomy, started(), answered(''), answered(''), answered('', 'x'), progress)
    expect(state).toMatchObject({ stumbles: 0, stumble: undefined })
  })

  it('names what the filter objected to', () => {
    expect(next(...times(MOST_STUMBLES, ended('content_filter', '')))).toMatchObject([
      { event: { data: { message: expect.stringContaining('(violence (high))') } } },
    ])
  })

  it('counts with what it cost, and is no final answer', () => {
    const state = stateOf(roomy, started(), ended('length', 'Once upon a ti'))
    expect(state.usage).toMatchObject({ steps: 1, inputTokens: 10, costUsd: '0.01' })
    expect(state.outcome).toBeUndefined()
  })
})

describe('what the model reads of it', () => {
  const turns = (...events: EventDraft[]) => stateOf(roomy, started(), ...events).turns.slice(1)

  it('is the beginning and what to do, where it was cut off', () => {
    expect(turns(ended('length', 'Once upon a ti'))).toMatchObject([
      { role: 'assistant', content: 'Once upon a ti' },
      { role: 'user', content: expect.stringContaining('cut off at its length limit') },
    ])
  })

  it('is never an empty or filtered answer, which servers refuse', () => {
    expect(turns(answered(''))).toMatchObject([{ role: 'user', content: expect.stringContaining('was empty') }])
    expect(turns(ended('content_filter', 'He took the'))).toMatchObject([
      { role: 'user', content: expect.stringContaining('content filter (violence (high))') },
    ])
  })
})

it('of an answer that broke off within its calls, the last one is not run', () => {
  expect(next(ended('length', '', 'read_file', 'read_file'))).toMatchObject([
    { event: { type: 'tool.failed', data: { callId: 'c1', error: { code: 'cut_short' } } } },
  ])
  expect(
    next(ended('length', '', 'read_file', 'read_file'), {
      ...refused('cut_short'),
      data: { ...refused('cut_short').data, callId: 'c1' },
    } as EventDraft),
  ).toMatchObject([{ do: 'runTool', call: { id: 'c0' } }])
  expect(next(ended('tool_calls', '', 'read_file'))).toMatchObject([{ do: 'runTool' }])
})
