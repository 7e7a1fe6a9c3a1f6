import { isDeepStrictEqual } from 'node:util'
import { decide } from '../../../src/domain/decide.ts'
import type { MissionState } from '../../../src/domain/state.ts'
import { summarise } from '../../../src/domain/summary.ts'
import type { Violation } from '../history.ts'
import { hasEnded, type Invariant, type Subject, type Whole } from './facts.ts'
import { ONLOOKER } from './replay.ts'

/** Events that come from outside the lease; each counts once in the row's inbox, in the same commit. */
const FROM_OUTSIDE = new Set([
  'question.answered',
  'mission.message',
  'mission.paused',
  'mission.resumed',
  'mission.cancelled',
])

/** I7: the row says what the journal says. */
export const rows: Invariant = (subject) => {
  const { row, state, events } = subject
  if (state === undefined) return []
  const found: Violation[] = []
  const { outcome } = state
  const outside = events.filter(({ type }) => FROM_OUTSIDE.has(type)).length
  if (row.inbox !== outside) {
    const what = `${outside} events came from outside, and the row counts ${row.inbox}.`
    found.push(violation(subject, 'I7', row.inbox > outside ? 'lost' : 'illegal', what))
  }
  // A row that has ended without its journal, or the other way round, is said by I5.
  if (outcome === undefined) return [...found, ...restingRow(subject, state)]
  if (!hasEnded(row)) return found
  if (row.status !== outcome.status) {
    found.push(violation(subject, 'I7', 'illegal', `It has ${outcome.status}, and the row says ${row.status}.`))
  }
  if (row.endedAt === null)
    found.push(violation(subject, 'I7', 'illegal', 'It has ended, and the row has no time of it.'))
  if (!isDeepStrictEqual(plain(row.summary), plain(summarise(state)))) {
    const what = `The summary is ${JSON.stringify(row.summary)} in place of ${JSON.stringify(summarise(state))}.`
    found.push(violation(subject, 'I7', 'illegal', what))
  }
  return found
}

function restingRow(subject: Subject, state: MissionState): Violation[] {
  const { row } = subject
  if (row.status === 'paused' && !state.paused) {
    return [violation(subject, 'I7', 'illegal', 'The row says paused, and the journal does not.')]
  }
  if (row.status === 'waiting' && state.paused) {
    return [violation(subject, 'I7', 'illegal', 'It was paused, and the row says waiting.')]
  }
  return []
}

/** I8: at the end nothing can move that does not. */
export const stuck: Invariant = (subject, { history, bounds, living }) => {
  const { row, state } = subject
  const say = (what: string) => [violation(subject, 'I8', 'stuck', what)]
  if (row.status === 'queued' || row.status === 'running') {
    const who = row.owner === null ? 'nobody' : `${row.owner}, which ${living.has(row.owner) ? 'lives' : 'is dead'}`
    return say(`It is ${row.status} at the end, and ${who} owns it.`)
  }
  if (row.status !== 'waiting') return []
  const latest = history.databaseNow - bounds.slackMs
  if (row.wakeAt !== null && row.wakeAt <= latest) {
    return say(`It was due ${history.databaseNow - row.wakeAt} ms before the end, and did not move.`)
  }
  if (state === undefined || state.paused || state.outcome !== undefined) return []
  const [next] = decide(state, latest, ONLOOKER)
  if (next?.do !== 'wait') return say(`It waits, and should go on with: ${JSON.stringify(next)}.`)
  if (row.wakeAt === null) return isOnlyAsking(state) ? [] : say('It waits for a time, and nothing will wake it.')
  if (row.wakeAt <= next.waiting.wakeAt + bounds.slackMs) return []
  return say(`It will be woken ${row.wakeAt - next.waiting.wakeAt} ms after it is due.`)
}

function isOnlyAsking({ questions, timers }: MissionState): boolean {
  return timers.length === 0 && questions.length > 0 && questions.every(({ deadline }) => deadline === undefined)
}

/** I16: what rests belongs to nobody, and what waits for nothing is never woken. */
export const leftovers: Invariant = (subject) => {
  const { row } = subject
  const found: Violation[] = []
  const neverWoken = row.status === 'paused' || hasEnded(row)
  if ((neverWoken || row.status === 'waiting') && row.owner !== null) {
    found.push(violation(subject, 'I16', 'illegal', `It is ${row.status}, and ${row.owner} owns it.`))
  }
  if (neverWoken && row.wakeAt !== null) {
    found.push(violation(subject, 'I16', 'illegal', `It is ${row.status}, and is to be woken.`))
  }
  return found
}

/** I16: a wake is in the poison queue for every one that was put there on purpose (faults of the kind `poison`), and no more. */
export function poison({ history: { poisoned, faults } }: Whole): Violation[] {
  const explained = faults.filter(({ kind }) => kind === 'poison').length
  if (poisoned <= explained) return []
  const what = `${poisoned} wakes are in the poison queue, and ${explained} are explained.`
  return [{ invariant: 'I16', counts: 'illegal', what }]
}

/** As JSON has it. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value))
}

function violation({ id }: Subject, invariant: string, counts: Violation['counts'], what: string): Violation {
  return { invariant, counts, missionId: id, what }
}
