import { endsJournal } from '../../../src/domain/event.ts'
import type { Violation } from '../history.ts'
import { hasEnded, isNumbered, stateAt, type Invariant, type Subject } from './facts.ts'

/** I5: numbers 1 to n, each once and in order of time; one first event, and one last where the mission has ended. */
export const journals: Invariant = (subject, whole) => {
  const { rows, row } = subject
  if (!isNumbered(rows)) return numbers(subject)
  const say = sayer(subject, 'I5')
  const found: Violation[] = []
  if (rows[0]?.type !== 'mission.created') found.push(say('lost', `begins with ${rows[0]?.type}`))
  const again = rows.slice(1).find(({ type }) => type === 'mission.created')
  if (again !== undefined) found.push(say('duplicated', `is created again by event ${again.seq}`))
  const ends = rows.filter(({ type }) => endsJournal(type))
  if (ends.length > 1) found.push(say('duplicated', `ends ${ends.length} times: ${named(ends)}`))
  if (ends.length === 1 && ends[0] !== rows.at(-1)) found.push(say('illegal', `goes on after ${named(ends)}`))
  if (ends.length === 0 && hasEnded(row)) {
    found.push(say('lost', `has no event that ends it, and its row says ${row.status}`))
  }
  if (ends.length > 0 && !hasEnded(row)) found.push(say('illegal', `has ended, and its row says ${row.status}`))
  found.push(...times(subject))
  const from = row.forkedFrom
  if (from !== null && (whole.events.get(from)?.length ?? 0) < (row.forkedSeq ?? 1)) {
    found.push(say('gaps', `goes on from event ${row.forkedSeq} of ${from}, which is not there`))
  }
  return found
}

function numbers(subject: Subject): Violation[] {
  const seqs = subject.rows.map(({ seq }) => seq)
  const say = sayer(subject, 'I5')
  const twice = seqs.filter((seq, index) => seqs.indexOf(seq) !== index)
  const highest = Math.max(...seqs)
  const missing = Array.from({ length: highest }, (_, index) => index + 1).filter((seq) => !seqs.includes(seq))
  if (twice.length > 0) return [say('duplicated', `has events twice: ${twice.join(', ')}`)]
  if (missing.length > 0) return [say('gaps', `has no event ${missing.join(', ')} of ${highest}`)]
  return [say('illegal', `was read in another order: ${seqs.join(', ')}`)]
}

function times(subject: Subject): Violation[] {
  const { rows } = subject
  const early = rows.find(({ at }, index) => at < (rows[index - 1]?.at ?? at))
  if (early === undefined) return []
  return [
    sayer(subject, 'I5')('illegal', `has event ${early.seq} (${early.type}) at an earlier time than the one before`),
  ]
}

/** I9: nobody writes under an epoch that is over. */
export const epochs: Invariant = (subject) => {
  const { rows, row } = subject
  const say = sayer(subject, 'I9')
  const old = rows.find(({ epoch }, index) => epoch < (rows[index - 1]?.epoch ?? epoch))
  if (old !== undefined) {
    return [say('illegal', `has event ${old.seq} (${old.type}) of epoch ${old.epoch} after one of a later epoch`)]
  }
  const ahead = rows.find(({ epoch }) => epoch > row.epoch)
  if (ahead === undefined) return []
  return [say('illegal', `has event ${ahead.seq} of epoch ${ahead.epoch}, and its row is at ${row.epoch}`)]
}

/** I18: events, requests and forks are of the mission's own tenant. */
export const tenants: Invariant = (subject, { missions }) => {
  const { row, rows, requests } = subject
  const say = sayer(subject, 'I18')
  const found: Violation[] = []
  const strange = rows.find(({ tenantId }) => tenantId !== row.tenantId)
  if (strange !== undefined) found.push(say('illegal', `has event ${strange.seq} of another tenant`))
  const asked = requests.find(({ tenantId, outcome }) => outcome === 'accepted' && tenantId !== row.tenantId)
  if (asked !== undefined) found.push(say('illegal', `took a "${asked.kind}" from another tenant`))
  const parent = row.forkedFrom === null ? undefined : missions.get(row.forkedFrom)
  if (parent !== undefined && parent.tenantId !== row.tenantId) {
    found.push(say('illegal', `goes on from a mission of another tenant`))
  }
  return found
}

/** I7: a fork's row and its first event name the same place. */
export const forks: Invariant = (subject, whole) => {
  const { row, state } = subject
  if (state === undefined) return []
  const { forkedFrom } = state
  if ((forkedFrom?.id ?? null) !== row.forkedFrom || (forkedFrom?.seq ?? null) !== row.forkedSeq) {
    return [sayer(subject, 'I7')('illegal', `names another mission that it goes on from than its row does`)]
  }
  if (forkedFrom === undefined) return []
  const there = stateAt(whole, forkedFrom.id, forkedFrom.seq)
  return there?.outcome === undefined ? [] : [sayer(subject, 'I7')('illegal', `goes on from the end of a mission`)]
}

function named(rows: readonly { seq: number; type: string }[]): string {
  return rows.map(({ seq, type }) => `${seq} (${type})`).join(', ')
}

/** Sentences about the journal of one mission. */
function sayer({ id }: Subject, invariant: string) {
  return (counts: Violation['counts'], what: string): Violation => {
    return { invariant, counts, missionId: id, what: `The journal ${what}.` }
  }
}
