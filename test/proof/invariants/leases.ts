import type { Fault, ToolRun, Violation } from '../history.ts'
import { killedAt, wasFrozen, type Invariant, type Subject, type Whole } from './facts.ts'

/** What a process still begins when it wakes up, before it notices that its lease is over. */
const WAKING_MS = 1_000

/** I10: one instance works on a mission at a time, and every run of a tool ends, unless its process was killed. */
export const leases: Invariant = (subject, whole) => [...overlaps(subject, whole), ...endless(subject, whole)]

function overlaps(subject: Subject, { history, bounds }: Whole): Violation[] {
  const runs = subject.toolRuns.toSorted((a, b) => a.begunAt - b.begunAt)
  const found = new Map<string, Violation>()
  for (const [index, later] of runs.entries()) {
    for (const earlier of runs.slice(0, index)) {
      if (earlier.instance === later.instance) continue
      const over = (earlier.endedAt ?? killedAt(history.faults, earlier) ?? Infinity) - later.begunAt
      if (over <= bounds.overlapMs) continue
      // What a frozen process had begun ends as it wakes up; what it writes then is fenced off.
      if (endedAsItWoke(history.faults, earlier, later, bounds.overlapMs)) continue
      if (wasFrozen(history.faults, later.instance, later.begunAt - WAKING_MS, later.begunAt)) continue
      const pair = `${earlier.instance} ${later.instance}`
      if (!found.has(pair)) found.set(pair, overlap(subject, earlier, later))
    }
  }
  return [...found.values()]
}

function endedAsItWoke(faults: readonly Fault[], earlier: ToolRun, later: ToolRun, lateMs: number): boolean {
  const woke = wokeAt(faults, earlier.instance, later.begunAt)
  return woke >= earlier.begunAt && (earlier.endedAt ?? -Infinity) <= woke + WAKING_MS + lateMs
}

/** When the instance went on that stood still at this time or before: who is frozen again meanwhile, only after that. */
function wokeAt(faults: readonly Fault[], instance: string, time: number): number {
  const freezes = faults
    .filter(({ kind, instance: whose }) => kind === 'freeze' && whose === instance)
    .toSorted((a, b) => a.at - b.at)
  let woke = -Infinity
  for (const { at, until = Infinity } of freezes) if (at <= Math.max(time, woke)) woke = Math.max(woke, until)
  return woke
}

function overlap({ id }: Subject, earlier: ToolRun, later: ToolRun): Violation {
  const { key, tool, instance, begunAt, endedAt } = earlier
  const until = endedAt === undefined ? 'without an end' : `until ${endedAt}`
  const first = `${instance} ran ${tool} (${key}) from ${begunAt} ${until}`
  const second = `${later.instance} began ${later.tool} (${later.key}) at ${later.begunAt}`
  return { invariant: 'I10', counts: 'illegal', missionId: id, what: `${first}, and ${second}.` }
}

function endless({ id, toolRuns }: Subject, { history: { faults, endedAt } }: Whole): Violation[] {
  return toolRuns
    .filter((run) => run.endedAt === undefined && killedAt(faults, run) === undefined)
    .filter(({ instance }) => !wasFrozen(faults, instance, endedAt, endedAt))
    .map(({ key, tool, instance, begunAt }) => {
      const what = `${tool} (${key}) was begun by ${instance} at ${begunAt}, never ended, and nobody killed it.`
      return { invariant: 'I10', counts: 'illegal', missionId: id, what }
    })
}
