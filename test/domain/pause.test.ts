import { describe, expect, it } from 'vitest'
import { decide, MODEL_STEP } from '../../src/domain/decide.ts'
import type { EventDraft, MissionEvent } from '../../src/domain/event.ts'
import { fold } from '../../src/domain/evolve.ts'
import { endOfTime } from '../../src/domain/limits.ts'
import { answered, asked, created, event, journal, START, started } from '../support/journal.ts'

const paused = event('mission.paused', { by: 'somebody' })
const resumed = event('mission.resumed', { by: 'somebody' })
const HOUR = 3_600_000

/** Events with their times, in milliseconds after the first. */
function timed(...given: [at: number, draft: EventDraft][]): MissionEvent[] {
  return journal(...given.map(([, draft]) => draft)).map((one, index) => {
    return { ...one, at: START + (given[index]?.[0] ?? 0) }
  })
}

function words(events: MissionEvent[], at: number, inFlight: string[] = []) {
  const tools = new Set(['read_file', 'wait', 'ask_user'])
  const actions = decide(fold(events), START + at, { instance: 'i', tools, inFlight: new Set(inFlight) })
  return actions.map((action) => (action.do === 'append' ? action.event.type : action.do))
}

describe('a paused mission', () => {
  it('starts nothing, and lies down when what is under way has ended', () => {
    const calls = timed([0, created()], [1, started()], [2, answered('', 'read_file', 'read_file')], [3, paused])
    expect(words(calls, 10, ['3.0'])).toEqual([])
    expect(words(calls, 10)).toEqual(['pause'])
    expect(words(timed([0, created()], [1, started()], [2, paused]), 10, [MODEL_STEP])).toEqual([])
    expect(words(timed([0, created()], [1, paused]), 10)).toEqual(['pause'])
  })

  it('keeps a final answer for when it goes on', () => {
    const given = timed([0, created()], [1, started()], [2, paused], [3, answered('Hello')])
    expect(words(given, 10)).toEqual(['pause'])
    expect(words([...given, { ...resumed, seq: 5, at: START + 20 }], 20)).toEqual(['mission.completed'])
  })

  it('is not ended by a limit or a deadline before it goes on', () => {
    const deadline = new Date(START + HOUR).toISOString()
    const given = timed([0, created({ deadline })], [1, started()], [2, paused])
    expect(words(given, 2 * HOUR)).toEqual(['pause'])
    expect(endOfTime(fold(given))).toBe(Infinity)
    expect(words([...given, { ...resumed, seq: 4, at: START + 2 * HOUR }], 2 * HOUR)).toEqual(['mission.failed'])
  })
})

describe('the wall time', () => {
  it('stands still in a pause, however often', () => {
    const events = timed(
      [0, created()],
      [1000, started()],
      [2000, paused],
      // Twice in a row is once.
      [50_000, paused],
      [102_000, resumed],
      [200_000, paused],
      [300_000, resumed],
      [300_000, resumed],
    )
    const end = 1000 + HOUR + 200_000
    expect(endOfTime(fold(events))).toBe(START + end)
    expect(words(events, end - 1)).toEqual(['callModel'])
    expect(words(events, end)).toEqual(['mission.failed'])
  })

  it('does not grow by a pause before the start', () => {
    const events = timed([0, created()], [1000, paused], [500_000, resumed], [501_000, started()])
    expect(endOfTime(fold(events))).toBe(START + 501_000 + HOUR)
  })
})

it('what became due in a pause takes effect when it is over', () => {
  const until = new Date(START + 60_000).toISOString()
  const events = timed(
    [0, created()],
    [1, started()],
    [2, answered('', 'wait', 'ask_user')],
    [3, event('timer.set', { timerId: 't', callId: 'c0', until })],
    [4, asked({ callId: 'c1', deadline: until })],
    [5, paused],
  )
  expect(words(events, 70_000)).toEqual(['pause'])
  expect(words([...events, { ...resumed, seq: 7, at: START + 70_000 }], 70_000)).toEqual([
    'timer.fired',
    'question.expired',
  ])
})
