import { endsJournal, type MissionEvent } from '../../../src/domain/event.ts'
import { evolve, fold } from '../../../src/domain/evolve.ts'
import { parseEvent } from '../../../src/domain/parse-event.ts'
import type { MissionState } from '../../../src/domain/state.ts'
import type { EventRecord, Fault, History, MissionRecord, Read, Request, ToolRun, Violation } from '../history.ts'

/** How much time each thing may take; all in milliseconds. */
export interface CheckOptions {
  /** How long a mission may be due at the end without having moved; 60 s (I8). */
  slackMs?: number
  /** How late after an accepted cancel a tool may still begin; 35 s: a lease and a poll (I13). */
  cancelMs?: number
  /** How long two instances may run tools of one mission at once, where timers are late on a busy machine; 0 (I10). */
  overlapMs?: number
  /** How late a timer may fire; undefined: whenever (I11). */
  lateMs?: number
  /** Folds every prefix of every journal anew, and decides on it: n² for a journal of n events (I17). */
  deep?: boolean
}

type Bounds = Required<Omit<CheckOptions, 'lateMs'>> & Pick<CheckOptions, 'lateMs'>

/** A history by mission. */
export interface Whole {
  history: History
  bounds: Bounds
  missions: ReadonlyMap<string, MissionRecord>
  events: ReadonlyMap<string, EventRecord[]>
  toolRuns: ReadonlyMap<string, ToolRun[]>
  requests: ReadonlyMap<string, Request[]>
  reads: ReadonlyMap<string, Read[]>
  /** Keys of the calls that were claimed. */
  claims: ReadonlyMap<string, string[]>
  living: ReadonlySet<string>
  /** States that others go on from, by `missionId@seq`; undefined where there is none. */
  parents: Map<string, MissionState | undefined>
}

/** An event behind the first, and the states around it. */
export interface Step {
  before: MissionState
  event: MissionEvent
  after: MissionState
}

/** One mission that is there, with a row and a journal, and what others saw of it. */
export interface Subject {
  id: string
  row: MissionRecord
  rows: EventRecord[]
  toolRuns: ToolRun[]
  requests: Request[]
  reads: Read[]
  claims: string[]
  /** The parsed journal; empty where it can't be folded. */
  events: MissionEvent[]
  /** Of the mission that it goes on from, at that event. */
  parent: MissionState | undefined
  /** Empty where the journal can't be folded: what is wrong with its numbers is said once, by I5. */
  steps: Step[]
  /** At the end; undefined where the journal can't be folded. */
  state: MissionState | undefined
  /** Why it can't be folded, although its numbers are as they should be. */
  unfoldable: string | undefined
}

export type Invariant = (subject: Subject, whole: Whole) => Violation[]

export function byMission(history: History, options: CheckOptions = {}): Whole {
  const { slackMs = 60_000, cancelMs = 35_000, overlapMs = 0, lateMs, deep = false } = options
  const ofMission = <T extends { missionId: string }>(all: readonly T[]) =>
    Map.groupBy(all, ({ missionId }) => missionId)
  const claims = history.claims.map((name) => {
    const cut = name.indexOf('/')
    return { missionId: name.slice(0, cut), key: name.slice(cut + 1) }
  })
  return {
    history,
    bounds: { slackMs, cancelMs, overlapMs, lateMs, deep },
    missions: new Map(history.missions.map((mission) => [mission.id, mission])),
    events: ofMission(history.events),
    toolRuns: ofMission(history.toolRuns),
    requests: ofMission(history.requests),
    reads: ofMission(history.reads),
    claims: new Map([...ofMission(claims)].map(([id, all]) => [id, all.map(({ key }) => key)])),
    living: new Set(history.living),
    parents: new Map(),
  }
}

export function subjectOf(whole: Whole, row: MissionRecord, rows: EventRecord[]): Subject {
  const { id } = row
  return {
    id,
    row,
    rows,
    toolRuns: whole.toolRuns.get(id) ?? [],
    requests: whole.requests.get(id) ?? [],
    reads: whole.reads.get(id) ?? [],
    claims: whole.claims.get(id) ?? [],
    ...folded(whole, rows),
  }
}

/** Whether the row says that the mission has ended. */
export function hasEnded({ status }: MissionRecord): boolean {
  return status === 'completed' || status === 'failed' || status === 'cancelled'
}

/** The numbers are 1, 2, 3 … */
export function isNumbered(rows: readonly EventRecord[]): boolean {
  return rows.every(({ seq }, index) => seq === index + 1)
}

/** Numbered, begun once and ended once at most, and at its end: what can't be folded without that is said by I5 alone. */
function isOneLife(rows: readonly EventRecord[]): boolean {
  const begins = rows[0]?.type === 'mission.created' && rows.findLastIndex(({ type }) => type === rows[0]?.type) === 0
  return begins && isNumbered(rows) && rows.slice(0, -1).every(({ type }) => !endsJournal(type))
}

/** The state of a mission after one of its events; undefined where its journal can't be folded so far. */
export function stateAt(whole: Whole, id: string, seq: number): MissionState | undefined {
  const name = `${id}@${seq}`
  if (!whole.parents.has(name)) {
    // Set first: missions that go on from each other in a ring would never end.
    whole.parents.set(name, undefined)
    const rows = (whole.events.get(id) ?? []).slice(0, seq)
    whole.parents.set(name, rows.length === seq ? folded(whole, rows).state : undefined)
  }
  return whole.parents.get(name)
}

function folded(
  whole: Whole,
  rows: readonly EventRecord[],
): Pick<Subject, 'events' | 'parent' | 'steps' | 'state' | 'unfoldable'> {
  const none = { events: [], parent: undefined, steps: [], state: undefined, unfoldable: undefined }
  if (!isOneLife(rows)) return none
  try {
    const events = rows.map(parseEvent)
    const [first, ...rest] = events
    const from = first?.type === 'mission.created' ? first.data.forkedFrom : undefined
    const parent = from && stateAt(whole, from.id, from.seq)
    // That is said of the other mission.
    if (first === undefined || (from !== undefined && parent === undefined)) return none
    let state = fold([first], parent)
    const steps = rest.map((event) => {
      const step = { before: state, event, after: evolve(state, event) }
      state = step.after
      return step
    })
    return { events, parent, steps, state, unfoldable: undefined }
  } catch (error) {
    return { ...none, unfoldable: error instanceof Error ? error.message : String(error) }
  }
}

/** The violations that steps of a journal are. */
export function ofSteps(
  { id, steps }: Subject,
  look: (step: Step) => Omit<Violation, 'missionId'> | undefined,
): Violation[] {
  return steps.flatMap((step) => {
    const found = look(step)
    return found === undefined ? [] : [{ ...found, missionId: id }]
  })
}

/** A time of the database's clock by the recorder's. */
export function byRecorder({ databaseNow, endedAt }: History, at: number): number {
  return at - databaseNow + endedAt
}

/** Whether an instance was frozen at some moment of a span, by the recorder's clock. */
export function wasFrozen(faults: readonly Fault[], instance: string, from: number, to: number): boolean {
  return faults.some(
    ({ kind, instance: whose, at, until = Infinity }) =>
      kind === 'freeze' && whose === instance && at <= to && until >= from,
  )
}

/** When the instance was killed that did this; undefined where it was not. */
export function killedAt(faults: readonly Fault[], { instance, begunAt }: ToolRun): number | undefined {
  const times = faults.flatMap(({ kind, instance: whose, at }) =>
    kind === 'kill' && whose === instance && at >= begunAt ? [at] : [],
  )
  return times.length === 0 ? undefined : Math.min(...times)
}
