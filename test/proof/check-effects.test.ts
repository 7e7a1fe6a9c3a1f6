import { describe, expect, it } from 'vitest'
import { event, START } from '../support/journal.ts'
import { check, lateness } from './check.ts'
import { broken, data, eventIn, there, insert, remove, rewrite, type Doctored } from './doctor.ts'
import type { EventRecord, History, ToolRun } from './history.ts'
import { legalHistory } from './legal-history.ts'

function run(history: History, missionId: string, key: string): ToolRun {
  return there(history.toolRuns.find((one) => one.missionId === missionId && one.key === key))
}

function without(history: History, missionId: string, key: string): void {
  history.toolRuns = history.toolRuns.filter((one) => one.missionId !== missionId || one.key !== key)
}

const reminded = event('question.reminded', { questionId: 'q' })

const sideEffects: Doctored[] = [
  ['a call that acts once was made twice', 'I4 duplicated whole', (h) => h.toolRuns.push(run(h, 'whole', '3.2'))],
  ['it was made without a claim', 'I4 illegal whole', (h) => void (h.claims = h.claims.slice(1))],
  ['a claim is of no call', 'I4 illegal whole', (h) => void h.claims.push('whole/3.1')],
  ['a result is of a call that was never made', 'I4 lost limited', (h) => without(h, 'limited', '3.0')],
  ['it was never carried out', 'I4 lost whole', (h) => void (run(h, 'whole', '3.2').outcome = 'failed')],
  [
    'it was carried out and is called failed',
    'I4 illegal acting',
    (h) => void (run(h, 'acting', '3.0').outcome = 'done'),
  ],
  [
    'a call was made that no answer asks for',
    'I4 illegal whole',
    (h) => h.toolRuns.push({ ...run(h, 'whole', '3.0'), key: '8.0' }),
  ],
  [
    'a fork makes a call under the key of the other mission',
    'I4 illegal fork2',
    (h) => h.toolRuns.push({ ...run(h, 'fork2', '0.0'), key: '3.0' }),
  ],
]

function ofFrozen(h: History): ToolRun {
  return there(h.toolRuns.find(({ missionId, instance }) => missionId === 'cancelled' && instance === 'i2'))
}

const leases: Doctored[] = [
  ['two instances work on it', 'I10 illegal whole', (h) => void (run(h, 'whole', '3.1').instance = 'i1')],
  [
    'the one that was killed worked on before',
    'I10 illegal acting',
    (h) =>
      h.toolRuns.push({
        ...run(h, 'acting', '6.0'),
        key: '6.0',
        effect: 'read',
        instance: 'i2',
        begunAt: 7_900,
        endedAt: 7_950,
      }),
  ],
  [
    'the one that was frozen went on before',
    'I10 illegal cancelled',
    (h) => void Object.assign(there(h.faults[1]), { at: 151_000, until: 155_000 }),
  ],
  [
    'the one that was frozen goes on after it woke up',
    'I10 illegal cancelled',
    (h) => void (ofFrozen(h).endedAt = 156_100),
  ],
  [
    'a run never ends',
    'I10 illegal acting',
    (h) => void Object.assign(there(h.faults[0]), { instance: 'i4', owned: undefined }),
  ],
]

const timers: Doctored[] = [
  ['a timer fires too early', 'I11 illegal whole', (h) => void (eventIn(h, 'whole', 13).at = START + 19_998)],
  [
    'a question expires too early',
    'I11 illegal fork',
    (h) => data(h, 'fork', 3, { deadline: new Date(START + 40_002).toISOString() }),
  ],
  ['a timer is ended by no message', 'I11 illegal whole', (h) => data(h, 'whole', 13, { early: true })],
  [
    'a timer fires twice',
    'I11 duplicated whole',
    (h) => insert(h, 'whole', 13, event('timer.fired', { timerId: 't11-0' })),
  ],
  ['a timer fires late', 'I11 stuck whole', () => undefined, { lateMs: 499 }],
]

describe.each([
  ['side effects', sideEffects],
  ['leases', leases],
  ['timers', timers],
])('the check of %s sees that', (_, table) => {
  it.each(table)('%s', (__, violation, change, options) => {
    expect(broken(change, options)).toEqual([violation])
  })
})

describe('the check of leases lets pass', () => {
  it('what the bound allows for', () => {
    const late = (h: History) => void (run(h, 'whole', '3.1').instance = 'i1')
    expect(broken(late, { overlapMs: 500 })).toEqual([])
  })

  it('what ends when a process wakes up that was frozen again before it did', () => {
    const frozenAgain = (h: History) => {
      h.faults.push({ kind: 'freeze', instance: 'i2', at: 152_000, until: 159_000 })
      ofFrozen(h).endedAt = 159_500
    }
    expect(broken(frozenAgain)).toEqual([])
  })

  it('what a process begins as it wakes up', () => {
    const history = legalHistory()
    const waking = { ...run(history, 'cancelled', '11.0'), begunAt: 155_010, endedAt: 155_020 }
    history.toolRuns.push(waking)
    expect(check(history)).toEqual([])
    Object.assign(waking, { begunAt: 157_000, endedAt: 157_010 })
    expect(check(history)).toHaveLength(1)
  })
})

describe('the check of timers lets pass', () => {
  it('a time that was cut to milliseconds', () => {
    expect(broken((h) => void (eventIn(h, 'whole', 13).at = START + 19_999))).toEqual([])
  })

  it('what is late within the bound', () => {
    expect(broken(() => undefined, { lateMs: 500 })).toEqual([])
  })
})

describe('lateness', () => {
  it('is that of timers and deadlines which nobody ended early', () => {
    expect(lateness(legalHistory())).toEqual([500, 0])
  })

  it('does not count a pause', () => {
    const history = legalHistory()
    rewrite(history, 'whole', (events) => {
      const [before, fired] = [there(events[11]), there(events[12])]
      const pause = { ...before, ...event('mission.paused', { by: 'somebody' }) }
      const resume = { ...before, ...event('mission.resumed', { by: 'somebody' }), at: fired.at - 100 }
      return events.toSpliced(12, 0, pause, resume)
    })
    expect(lateness(history)).toEqual([100, 0])
  })
})

describe('a call that acts once', () => {
  it('was made twice, whatever is wrong with the journal', () => {
    const found = broken((h) => {
      h.toolRuns.push(run(h, 'acting', '3.0'))
      eventIn(h, 'acting', 1).data = null
    })
    expect(found).toEqual(['I4 duplicated acting', 'I17 illegal acting'])
  })

  it('was made before the journal had its begin', () => {
    const history = legalHistory()
    const unannounced = (one: EventRecord) => (one.seq === 4 ? { ...one, ...reminded } : one)
    rewrite(history, 'acting', (events) => events.map(unannounced))
    expect(check(history).map(({ what }) => what)).toEqual([
      'Call 3.0 acts once, and was made unannounced.',
      'Call 3.0 was claimed, and its begin is not in the journal.',
    ])
  })
})

describe('a call that acts once and was interrupted', () => {
  it('may have been made, or not', () => {
    expect(broken((h) => without(h, 'acting', '6.0'))).toEqual([])
  })

  it('is no question to a person for ever', () => {
    const unasked = (h: History) => {
      remove(h, 'acting', 9, 10, 11, 12)
      h.requests = h.requests.filter(({ questionId }) => questionId !== 'u6-0')
    }
    expect(broken(unasked)).toEqual(['I8 stuck acting'])
  })
})
