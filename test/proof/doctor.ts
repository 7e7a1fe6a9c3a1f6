import type { EventDraft } from '../../src/domain/event.ts'
import { check, type CheckOptions } from './check.ts'
import type { EventRecord, History, MissionRecord } from './history.ts'
import { legalHistory, readOf, rowOf } from './legal-history.ts'

/** What `check` finds in the legal history after a change: each as its invariant, what it counts as, and the mission. */
export function broken(change: (history: History) => void, options?: CheckOptions): string[] {
  const history = legalHistory()
  change(history)
  const found = check(history, options).map(({ invariant, counts, missionId }) => `${invariant} ${counts} ${missionId}`)
  return [...new Set(found)]
}

/** Name, what is found, what is changed. */
export type Doctored = [what: string, found: string, change: (history: History) => void, options?: CheckOptions]

export function rowIn({ missions }: History, id: string): MissionRecord {
  return there(missions.find((mission) => mission.id === id))
}

export function eventIn({ events }: History, id: string, seq: number): EventRecord {
  return there(events.find((event) => event.missionId === id && event.seq === seq))
}

/** Changes members of an event's data. */
export function data(history: History, id: string, seq: number, over: Record<string, unknown>): void {
  const record = eventIn(history, id, seq)
  record.data = { ...(record.data as object), ...over }
}

/** Changes a mission's journal, numbers it anew, and lets the row and readers say what the journal says. */
export function rewrite(history: History, id: string, change: (events: EventRecord[]) => EventRecord[]): void {
  const own = change(history.events.filter(({ missionId }) => missionId === id))
  const numbered = own.map((record, index) => ({ ...record, seq: index + 1 }))
  history.events = [...history.events.filter(({ missionId }) => missionId !== id), ...numbered]
  Object.assign(rowIn(history, id), rowOf(history, id))
  history.reads = history.reads.map((read) => (read.missionId === id ? readOf(history, id, read.whole) : read))
}

/** Events right behind another one, at its time and of its epoch. */
export function insert(history: History, id: string, afterSeq: number, ...drafts: EventDraft[]): void {
  rewrite(history, id, (events) => {
    const before = there(events[afterSeq - 1])
    return events.toSpliced(afterSeq, 0, ...drafts.map((draft) => ({ ...before, ...draft })))
  })
}

export function remove(history: History, id: string, ...seqs: number[]): void {
  rewrite(history, id, (events) => events.filter(({ seq }) => !seqs.includes(seq)))
}

export function there<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('The legal history has no such thing')
  return value
}
