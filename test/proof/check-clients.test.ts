import { describe, expect, it } from 'vitest'
import { event } from '../support/journal.ts'
import { broken, data, there, insert, type Doctored } from './doctor.ts'
import type { History, Request } from './history.ts'
import { OTHER_TENANT, TENANT } from './legal-lives.ts'

/** The one that was accepted, or whose answer never came. */
function request(history: History, missionId: string, kind: Request['kind']): Request {
  return there(history.requests.find((one) => one.missionId === missionId && one.kind === kind))
}

function forget(history: History, missionId: string, ...kinds: Request['kind'][]): void {
  history.requests = history.requests.filter((one) => one.missionId !== missionId || !kinds.includes(one.kind))
}

function drop(history: History, id: string): void {
  history.missions = history.missions.filter((mission) => mission.id !== id)
  history.events = history.events.filter(({ missionId }) => missionId !== id)
}

const said = (missionId: string, kind: Request['kind'], over: Partial<Request> = {}): Request => {
  return { kind, missionId, tenantId: TENANT, outcome: 'accepted', at: 0, ...over }
}

const creations: Doctored[] = [
  ['an accepted mission is not there', 'I1 lost plain', (h) => drop(h, 'plain')],
  ['an accepted fork is not there', 'I1 lost fork', (h) => drop(h, 'fork')],
  [
    'a mission has no journal',
    'I1 lost plain',
    (h) => void (h.events = h.events.filter(({ missionId }) => missionId !== 'plain')),
  ],
  [
    'a journal has no mission',
    'I16 illegal plain',
    (h) => {
      h.missions = h.missions.filter(({ id }) => id !== 'plain')
      forget(h, 'plain', 'create')
    },
  ],
  [
    'a key made two missions',
    'I2 duplicated plain',
    (h) => void (request(h, 'plain', 'create').idempotencyKey = 'limited'),
  ],
  [
    'a repeat made a second mission, whose first answer was lost',
    'I2 duplicated plain',
    (h) =>
      void Object.assign(request(h, 'plain', 'create'), {
        missionId: '',
        outcome: 'unknown',
        idempotencyKey: 'limited',
      }),
  ],
  ['nobody asked for a mission', 'I2 duplicated plain', (h) => forget(h, 'plain', 'create')],
]

const reads: Doctored[] = [
  [
    'an event came twice',
    'I6 duplicated whole',
    (h) => void h.reads[0]?.events.splice(3, 0, { seq: 3, type: 'model.answered' }),
  ],
  ['an event was left out', 'I6 gaps whole', (h) => void h.reads[0]?.events.splice(3, 1)],
  ['an event was left out of a part', 'I6 gaps cancelled', (h) => void h.reads[1]?.events.splice(3, 1)],
  ['the end was left out', 'I6 gaps whole', (h) => void h.reads[0]?.events.pop()],
  [
    'an event is another one',
    'I6 illegal whole',
    (h) => void Object.assign(there(h.reads[0]?.events[3]), { type: 'tool.failed' }),
  ],
  [
    'an event was shown and is lost',
    'I6 lost cancelled',
    (h) => h.reads.push({ missionId: 'cancelled', whole: false, events: eventsOf(h, 'cancelled', 1) }),
  ],
]

function eventsOf({ events }: History, id: string, more: number) {
  const own = events.filter(({ missionId }) => missionId === id).map(({ seq, type }) => ({ seq, type }))
  return [...own, ...Array.from({ length: more }, (_, n) => ({ seq: own.length + n + 1, type: 'tool.failed' }))]
}

const answers: Doctored[] = [
  [
    'an accepted answer is lost',
    'I12 lost asking',
    (h) => h.requests.push(said('asking', 'answer', { tenantId: OTHER_TENANT, questionId: 'q', answer: 1 })),
  ],
  ['another answer is recorded', 'I12 lost whole', (h) => data(h, 'whole', 10, { answer: { colour: 'red' } })],
  [
    'a refused answer is recorded',
    'I12 illegal acting',
    (h) => void (request(h, 'acting', 'answer').outcome = 'refused'),
  ],
  [
    'two answers were accepted',
    'I12 duplicated whole',
    (h) => h.requests.push(said('whole', 'answer', { questionId: 'q8-0', answer: { colour: 'red' } })),
  ],
  [
    'a question was answered twice',
    'I12 duplicated whole',
    (h) => insert(h, 'whole', 10, event('question.answered', { questionId: 'q8-0', answer: 1, by: 'somebody' })),
  ],
  [
    'a question expired that was answered',
    'I12 duplicated whole',
    (h) => insert(h, 'whole', 10, event('question.expired', { questionId: 'q8-0' })),
  ],
  [
    'an accepted answer came too late',
    'I12 lost fork',
    (h) => h.requests.push(said('fork', 'answer', { questionId: 'q0-0', answer: 1 })),
  ],
]

const message = event('mission.message', { role: 'user', content: 'More', by: 'somebody' })
const [pause, resume] = [event('mission.paused', { by: 'x' }), event('mission.resumed', { by: 'x' })]

const commands: Doctored[] = [
  ['an accepted cancel did nothing', 'I13 lost plain', (h) => h.requests.push(said('plain', 'cancel'))],
  ['nobody cancelled it', 'I13 illegal cancelled', (h) => forget(h, 'cancelled', 'cancel')],
  [
    'a tool begins after a cancel',
    'I13 illegal cancelled',
    (h) => {
      const last = there(h.toolRuns.findLast(({ missionId }) => missionId === 'cancelled'))
      h.toolRuns.push({ ...last, begunAt: 196_000, endedAt: 196_001 })
    },
  ],
  ['an accepted message is lost', 'I13 lost plain', (h) => h.requests.push(said('plain', 'message'))],
  ['a message is recorded twice', 'I13 duplicated cancelled', (h) => insert(h, 'cancelled', 11, message)],
  ['an accepted pause is lost', 'I13 lost plain', (h) => h.requests.push(said('plain', 'pause'))],
  [
    'nobody paused it',
    'I13 duplicated plain',
    (h) => {
      insert(h, 'plain', 5, pause, resume)
      h.requests.push(said('plain', 'resume'))
    },
  ],
  [
    'nobody resumed it',
    'I13 duplicated plain',
    (h) => {
      insert(h, 'plain', 5, pause, resume)
      h.requests.push(said('plain', 'pause'))
    },
  ],
]

describe.each([
  ['creations', creations],
  ['reads', reads],
  ['answers', answers],
  ['commands', commands],
])('the check of %s sees that', (_, table) => {
  it.each(table)('%s', (__, violation, change, options) => {
    expect(broken(change, options)).toEqual([violation])
  })
})

describe('the checks let pass', () => {
  it('what got no answer, done or not', () => {
    expect(
      broken((h) => {
        for (const one of h.requests)
          if (one.outcome === 'accepted' && one.missionId !== 'paused') one.outcome = 'unknown'
      }),
    ).toEqual([])
    expect(
      broken((h) => {
        h.requests.push(said('', 'create', { outcome: 'unknown', idempotencyKey: 'new' }))
        h.requests.push(
          said('plain', 'cancel', { outcome: 'unknown' }),
          said('plain', 'message', { outcome: 'unknown' }),
        )
      }),
    ).toEqual([])
  })

  it('missions that were created without a key, and those of a history without clients', () => {
    expect(broken((h) => h.requests.forEach((one) => delete one.idempotencyKey))).toEqual([])
    const nobody = (h: History) => {
      const ids = new Set(['plain', 'limited', 'asking'])
      h.missions = h.missions.filter(({ id }) => ids.has(id))
      const left = <T extends { missionId: string }>(all: T[]) => all.filter(({ missionId }) => ids.has(missionId))
      Object.assign(h, { events: left(h.events), toolRuns: left(h.toolRuns), requests: [], reads: [], claims: [] })
    }
    expect(broken(nobody)).toEqual([])
  })

  it('a tool that begins within the bound after a cancel', () => {
    const late = (h: History) => {
      const last = there(h.toolRuns.findLast(({ missionId }) => missionId === 'cancelled'))
      h.toolRuns.push({ ...last, begunAt: 195_100, endedAt: 195_101 })
    }
    expect(broken(late)).toEqual([])
    expect(broken(late, { cancelMs: 34_999 })).toEqual(['I13 illegal cancelled'])
  })

  it('a mission of a request whose answer was lost', () => {
    expect(
      broken((h) => void Object.assign(request(h, 'plain', 'create'), { missionId: '', outcome: 'unknown' })),
    ).toEqual([])
  })

  it('a tool that a frozen process begins after a cancel', () => {
    const late = (h: History) => {
      h.faults.push({ kind: 'freeze', instance: 'i3', at: 159_000, until: 196_000 })
      const last = there(h.toolRuns.findLast(({ missionId }) => missionId === 'cancelled'))
      h.toolRuns.push({ ...last, begunAt: 196_000, endedAt: 196_001 })
    }
    expect(broken(late)).toEqual([])
  })
})
