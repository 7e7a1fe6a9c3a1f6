import { describe, expect, it } from 'vitest'
import { event, START } from '../support/journal.ts'
import { broken, data, insert, rowIn, type Doctored } from './doctor.ts'
import type { History, MissionRecord } from './history.ts'
import { ENDED_MS } from './legal-history.ts'
import { OTHER_TENANT } from './legal-lives.ts'

const NOW = START + ENDED_MS

const row = (id: string, over: Partial<MissionRecord>) => (history: History) => {
  Object.assign(rowIn(history, id), over)
}

/** The mission asks, or it has an answer; the row stays as it is. */
const answered = (history: History) => {
  const before = { ...rowIn(history, 'asking') }
  insert(history, 'asking', 4, event('question.answered', { questionId: 'q', answer: 1, by: 'somebody' }))
  row('asking', { ...before, inbox: 1 })(history)
  history.requests.push({
    kind: 'answer',
    missionId: 'asking',
    tenantId: OTHER_TENANT,
    outcome: 'accepted',
    at: 0,
    questionId: 'q',
    answer: 1,
  })
}

const rows: Doctored[] = [
  ['it has another end', 'I7 illegal plain', row('plain', { status: 'failed' })],
  ['it has no time of the end', 'I7 illegal plain', row('plain', { endedAt: null })],
  ['its summary is an old one', 'I7 illegal plain', row('plain', { summary: { lastSeq: 6 } })],
  ['it is paused by the row alone', 'I7 illegal asking', row('asking', { status: 'paused', wakeAt: null })],
  ['it is paused by the journal alone', 'I7 illegal paused', row('paused', { status: 'waiting', wakeAt: NOW })],
  ['an event from outside is lost', 'I7 lost plain', row('plain', { inbox: 1 })],
  ['an event from outside is not counted', 'I7 illegal whole', row('whole', { inbox: 0 })],
]

const stuck: Doctored[] = [
  ['it was never claimed', 'I8 stuck asking', row('asking', { status: 'queued', wakeAt: NOW })],
  ['its owner is dead', 'I8 stuck asking', row('asking', { status: 'running', owner: 'i1' })],
  ['its owner does nothing', 'I8 stuck asking', row('asking', { status: 'running', owner: 'i3' })],
  ['it is due', 'I8 stuck asking', row('asking', { wakeAt: NOW - 60_000 })],
  ['it waits for an answer that is there', 'I8 stuck asking', answered],
  [
    'nothing wakes it for the deadline of its question',
    'I8 stuck asking',
    (h) => {
      data(h, 'asking', 4, { deadline: new Date(NOW + 1_000_000).toISOString() })
      row('asking', { wakeAt: null })(h)
    },
  ],
  ['it is woken too late', 'I8 stuck asking', row('asking', { wakeAt: START + 3_601_000 + 60_001 })],
  [
    'nothing wakes it for its timer',
    'I8 stuck cancelled',
    (h) => {
      h.events = h.events.filter(({ missionId, seq }) => missionId !== 'cancelled' || seq <= 4)
      h.toolRuns = h.toolRuns.filter(({ missionId }) => missionId !== 'cancelled')
      h.requests = h.requests.filter(({ missionId, kind }) => missionId !== 'cancelled' || kind === 'create')
      h.reads.pop()
      row('cancelled', { status: 'waiting', inbox: 0, endedAt: null, wakeAt: null })(h)
    },
  ],
]

const leftovers: Doctored[] = [
  ['what has ended is owned', 'I16 illegal plain', row('plain', { owner: 'i3' })],
  ['what waits is owned', 'I16 illegal asking', row('asking', { owner: 'i1' })],
  ['what has ended is to be woken', 'I16 illegal plain', row('plain', { wakeAt: NOW })],
  ['what is paused is to be woken', 'I16 illegal paused', row('paused', { wakeAt: NOW })],
  ['wakes are poisoned', 'I16 illegal undefined', (h) => void (h.poisoned = 1)],
  [
    'tools ran for a mission that is not there',
    'I16 illegal none',
    (h) =>
      h.toolRuns.push({
        missionId: 'none',
        key: '3.0',
        tool: 'look',
        effect: 'read',
        instance: 'i3',
        begunAt: 0,
        endedAt: 1,
      }),
  ],
  ['a claim is of a mission that is not there', 'I16 illegal none', (h) => void h.claims.push('none/3.0')],
]

describe.each([
  ['rows', rows],
  ['what is stuck', stuck],
  ['what is left over', leftovers],
])('the check of %s sees that', (_, table) => {
  it.each(table)('%s', (__, violation, change, options) => {
    expect(broken(change, options)).toEqual([violation])
  })
})

describe('the checks let pass', () => {
  it('what is due within the slack', () => {
    expect(broken(row('asking', { wakeAt: NOW - 59_999 }))).toEqual([])
    expect(broken(row('asking', { wakeAt: NOW - 59_999 }), { slackMs: 50_000 })).toEqual(['I8 stuck asking'])
  })

  it('a question that nobody is in a hurry with', () => {
    expect(broken(row('asking', { wakeAt: null }))).toEqual([])
  })

  it('wakes that were poisoned on purpose', () => {
    const onPurpose = (h: History) => {
      h.poisoned = 1
      h.faults.push({ kind: 'poison', at: 0 })
    }
    expect(broken(onPurpose)).toEqual([])
  })
})
