import { describe, expect, it } from 'vitest'
import { decide } from '../../src/domain/decide.ts'
import type { EventDraft } from '../../src/domain/event.ts'
import { summarise } from '../../src/domain/summary.ts'
import { answered, asked, created, event, START, started, stateOf } from '../support/journal.ts'

/** Both what the engine is told and what lists show. */
function waits(...events: EventDraft[]) {
  const state = stateOf(...events)
  const [action] = decide(state, START + 2_500, { instance: 'i1', tools: new Set(['wait']), inFlight: new Set() })
  if (action?.do !== 'wait') throw new Error(`It does not wait: ${action?.do}`)
  return { ...action.waiting, shown: summarise(state, action.waiting).waitingFor?.until }
}

function failedFor(retryAfterMs: number): EventDraft {
  const error = { code: 'model_unavailable', message: 'down' }
  return event('model.failed', { model: 'm', error, retry: true, retryAfterMs, durationMs: 1 })
}

const hour = created()
/** Longer than Date can count. */
const forever = created({ limits: { steps: 9, tokens: 99, costUsd: '1', wallMs: Number.MAX_SAFE_INTEGER } })

describe('a model server that asks for patience', () => {
  it.each([1e17, Number.MAX_SAFE_INTEGER, Number.MAX_VALUE])(
    'of %d ms gets it until the time of the mission is over',
    (ms) => {
      const end = START + 1000 + 3_600_000
      expect(waits(hour, started(), failedFor(ms))).toEqual({
        kind: 'model',
        until: end,
        wakeAt: end,
        shown: new Date(end).toISOString(),
      })
    },
  )

  it('of centuries in a mission without an end gets what a date can hold', () => {
    expect(waits(forever, started(), failedFor(1e17))).toMatchObject({
      until: 8.64e15,
      wakeAt: 8.64e15,
      shown: '+275760-09-13T00:00:00.000Z',
    })
  })

  it('of a minute gets a minute', () => {
    const until = START + 2000 + 60_000
    expect(waits(hour, started(), failedFor(60_000))).toMatchObject({ until, wakeAt: until })
  })
})

it('a timer beyond the time of its mission ends with it', () => {
  const timer = event('timer.set', { timerId: 't', callId: 'c0', until: new Date(START + 864e5).toISOString() })
  const end = START + 1000 + 3_600_000
  expect(waits(hour, started(), answered('', 'wait'), timer)).toMatchObject({ until: end, wakeAt: end })
})

it('a mission that waits for a person shows no time, and is looked at again when a date can still hold it', () => {
  const { until, wakeAt, shown } = waits(forever, started(), answered('', 'ask_user'), asked())
  expect({ until, wakeAt, shown }).toEqual({ until: undefined, wakeAt: 8.64e15, shown: undefined })
})
