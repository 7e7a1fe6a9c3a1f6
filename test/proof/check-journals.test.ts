import { describe, expect, it } from 'vitest'
import { decide } from '../../src/domain/decide.ts'
import { fold } from '../../src/domain/evolve.ts'
import { answered, event, finished, started } from '../support/journal.ts'
import { check } from './check.ts'
import { broken, data, eventIn, there, insert, remove, rowIn, type Doctored } from './doctor.ts'
import { byMission, subjectOf } from './invariants/facts.ts'
import { DOMAIN, replay } from './invariants/replay.ts'
import type { History } from './history.ts'
import { legalHistory } from './legal-history.ts'
import { OTHER_TENANT, TENANT } from './legal-lives.ts'

describe('a history without a fault of the engine', () => {
  it('breaks no rule', () => {
    expect(check(legalHistory())).toEqual([])
    expect(check(legalHistory(), { deep: true })).toEqual([])
  })
})

const journals: Doctored[] = [
  ['an event is lost', 'I5 gaps plain', (h) => cut(h, 'plain', 4)],
  ['an event is there twice', 'I5 duplicated plain', (h) => void h.events.push(eventIn(h, 'plain', 4))],
  [
    'two events have changed places',
    'I5 illegal plain',
    (h) => {
      const [one, other] = [eventIn(h, 'plain', 4), eventIn(h, 'plain', 5)]
      Object.assign(one, { seq: 5 })
      Object.assign(other, { seq: 4 })
    },
  ],
  ['the end is lost', 'I5 lost plain', (h) => cut(h, 'plain', 7)],
  ['the first event is lost', 'I5 lost asking', (h) => void (eventIn(h, 'asking', 1).type = 'mission.message')],
  ['it is created twice', 'I5 duplicated asking', (h) => void (eventIn(h, 'asking', 2).type = 'mission.created')],
  ['it ends twice', 'I5 duplicated plain', (h) => append(h, 'plain', 'mission.cancelled')],
  ['it goes on after its end', 'I5 illegal plain', (h) => append(h, 'plain', 'mission.message')],
  ['its row has not ended', 'I5 illegal plain', (h) => void (rowIn(h, 'plain').status = 'paused')],
  ['time goes back', 'I5 illegal plain', (h) => void (eventIn(h, 'plain', 6).at -= 5_000)],
  [
    'what a fork goes on from is lost',
    'I5 gaps fork',
    (h) => {
      data(h, 'fork', 1, { forkedFrom: { id: 'whole', seq: 99 } })
      rowIn(h, 'fork').forkedSeq = 99
    },
  ],
  ['an old owner writes', 'I9 illegal whole', (h) => void (eventIn(h, 'whole', 14).epoch = 2)],
  ['somebody writes without a claim', 'I9 illegal whole', (h) => void (rowIn(h, 'whole').epoch = 2)],
  ['an event is of another tenant', 'I18 illegal whole', (h) => void (eventIn(h, 'whole', 4).tenantId = OTHER_TENANT)],
  [
    'another tenant changed it',
    'I18 illegal whole',
    (h) => void (there(h.requests.find(({ kind }) => kind === 'answer')).tenantId = OTHER_TENANT),
  ],
  [
    'a fork is of another tenant',
    'I18 illegal fork',
    (h) => {
      for (const one of [...h.events, ...h.requests]) if (one.missionId === 'fork') one.tenantId = OTHER_TENANT
      rowIn(h, 'fork').tenantId = OTHER_TENANT
    },
  ],
]

const begins = (key: string) => event('tool.started', { callId: 'c0', name: 'read_file', key })

const reminded = event('question.reminded', { questionId: 'q' })

const steps: Doctored[] = [
  ['a result is recorded twice', 'I3 duplicated plain', (h) => insert(h, 'plain', 4, finished('c0', '1'))],
  [
    'a turn is answered twice',
    'I3 duplicated plain',
    (h) => insert(h, 'plain', 3, answered('', 'read_file', 'read_file')),
  ],
  ['the end is answered twice', 'I3 duplicated plain', (h) => insert(h, 'plain', 6, answered('Done'))],
  ['a result is of no call', 'I3 illegal plain', (h) => insert(h, 'plain', 3, finished('c9', '1'))],
  ['a call begins twice', 'I3 duplicated plain', (h) => insert(h, 'plain', 3, begins('3.0'), begins('3.0'))],
  ['a call begins under the key of another one', 'I3 illegal plain', (h) => insert(h, 'plain', 3, begins('3.1'))],
  [
    'a call has a result that waits for a person',
    'I3 illegal fork',
    (h) => insert(h, 'fork', 3, finished('c0', 'yes', 'ask_user')),
  ],
]

const transitions: Doctored[] = [
  ['it is started twice', 'I7 illegal plain', (h) => insert(h, 'plain', 2, started())],
  ['it moves before its start', 'I7 illegal plain', (h) => remove(h, 'plain', 2)],
  ['it begins something in a pause', 'I7 illegal paused', (h) => insert(h, 'paused', 3, reminded)],
  [
    'it ends a pause that was none',
    'I7 illegal plain',
    (h) => {
      insert(h, 'plain', 5, event('mission.resumed', { by: 'somebody' }))
      h.requests.push({ kind: 'resume', missionId: 'plain', tenantId: TENANT, outcome: 'accepted', at: 0 })
    },
  ],
  ['it completes without an answer', 'I7 illegal plain', (h) => remove(h, 'plain', 6)],
  [
    'it fails and leaves open what happened',
    'I7 illegal plain',
    (h) => {
      remove(h, 'plain', 4, 5, 6, 7)
      insert(h, 'plain', 3, begins('3.0'), event('mission.failed', { code: 'crash_loop', message: 'It crashed.' }))
    },
  ],
  ['a fork is named otherwise by its row', 'I7 illegal fork', (h) => void (rowIn(h, 'fork').forkedSeq = 8)],
  [
    'a fork goes on from an end',
    'I7 illegal fork',
    (h) => {
      data(h, 'fork', 1, { forkedFrom: { id: 'plain', seq: 7 }, said: 'More' })
      remove(h, 'fork', 3, 4)
      Object.assign(rowIn(h, 'fork'), { forkedFrom: 'plain', forkedSeq: 7 })
    },
  ],
]

const limits: Doctored[] = [
  ['a model answers after the end of the budget', 'I14 illegal plain', (h) => limit(h, { tokens: 15 })],
  [
    'a call begins after the end of the budget',
    'I14 illegal plain',
    (h) => {
      remove(h, 'plain', 6, 7)
      insert(h, 'plain', 5, event('mission.failed', { code: 'limit_costUsd', message: 'It reached its limit.' }))
      insert(h, 'plain', 3, begins('3.0'))
      limit(h, { costUsd: '0.01' })
    },
  ],
]

function cut(history: History, id: string, seq: number): void {
  history.events = history.events.filter((one) => one.missionId !== id || one.seq !== seq)
}

function append(history: History, id: string, type: string): void {
  const last = there(history.events.findLast(({ missionId }) => missionId === id))
  history.events.push({ ...last, seq: last.seq + 1, type })
}

function limit(history: History, over: object): void {
  const { data: before } = eventIn(history, 'plain', 1)
  data(history, 'plain', 1, { limits: { ...(before as { limits: object }).limits, ...over } })
}

describe.each([
  ['journals', journals],
  ['steps', steps],
  ['transitions', transitions],
  ['limits', limits],
])('the check of %s sees that', (_, table) => {
  it.each(table)('%s', (__, violation, change, options) => {
    expect(broken(change, options)).toEqual([violation])
  })
})

describe('a journal that can not be folded', () => {
  it('is said once, and not of all that follows from it', () => {
    const change = (h: History) => {
      cut(h, 'whole', 5)
      cut(h, 'cancelled', 5)
      h.reads = []
    }
    expect(broken(change)).toEqual(['I5 gaps whole', 'I5 gaps cancelled'])
  })
})

describe('the check of replay sees that', () => {
  const subject = () => {
    const history = legalHistory()
    const whole = byMission(history, { deep: true })
    return [subjectOf(whole, rowIn(history, 'whole'), there(whole.events.get('whole'))), whole] as const
  }

  it('an event can not be read', () => {
    expect(broken((h) => void (eventIn(h, 'limited', 4).v = 99))).toEqual(['I17 illegal limited'])
  })

  it('a fold gives another state the second time', () => {
    let times = 0
    const impure = { ...DOMAIN, fold: (...args: Parameters<typeof fold>) => ({ ...fold(...args), stumbles: times++ }) }
    expect(replay(...subject(), impure)).toHaveLength(1)
    expect(replay(...subject(), DOMAIN)).toEqual([])
  })

  it('a decision is another one the second time', () => {
    let times = 0
    const impure = {
      ...DOMAIN,
      decide: (...args: Parameters<typeof decide>) => (times++ === 0 ? decide(...args) : []),
    }
    expect(replay(...subject(), impure)).toHaveLength(1)
  })
})
