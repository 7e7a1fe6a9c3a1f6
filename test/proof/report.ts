import { decide } from '../../src/domain/decide.ts'
import type { Fault, History, Violation } from './history.ts'
import { byMission, byRecorder, subjectOf, type Whole } from './invariants/facts.ts'
import { ONLOOKER } from './invariants/replay.ts'

/** What a proof did and found. */
export interface ProofRun {
  /** What was counted, and how many. */
  unit: 'histories' | 'missions'
  number: number
  /** What `check` gave for each history: one for the chaos, thousands for the simulation. Empty ones may be left out. */
  violations: readonly (readonly Violation[])[]
  /** From `recoveryTimes`, of all histories. */
  recoveriesMs: readonly number[]
  /** Faults injected by kind, from `countFaults`. */
  faults: ReadonlyMap<string, number>
  seed: number | string
}

type Counts = Record<Violation['counts'], number>

/** The object of the contracts page. */
export type Report = { histories?: number; missions?: number } & Counts & {
    /** Null where nothing had to recover. */
    recoveryMs: { p50: number | null; p99: number | null }
    seed: number | string
  }

/** Lines of single violations in the description. */
const MOST_SHOWN = 20

/** Counts missions and invariants, not lines: a mission that breaks one rule five times counts once. */
export function report({ unit, number, violations, recoveriesMs, seed }: ProofRun): Report {
  const counts: Counts = { lost: 0, duplicated: 0, gaps: 0, stuck: 0, illegal: 0 }
  for (const ofOne of violations) {
    const broken = new Set(ofOne.map(({ counts: as, invariant, missionId }) => `${as} ${invariant} ${missionId}`))
    for (const name of broken) counts[name.split(' ')[0] as keyof Counts]++
  }
  const recoveryMs = { p50: percentile(recoveriesMs, 0.5), p99: percentile(recoveriesMs, 0.99) }
  return { [unit]: number, ...counts, recoveryMs, seed }
}

/** Whether all counts are zero. */
export function passed({ lost, duplicated, gaps, stuck, illegal }: Report): boolean {
  return lost + duplicated + gaps + stuck + illegal === 0
}

/** For people: the faults by kind, at most 20 violations by invariant, the verdict. */
export function describeRun(run: ProofRun): string {
  const { p50, p99 } = report(run).recoveryMs
  const found = run.violations.flat()
  return [
    `Faults injected, by kind: ${run.faults.size === 0 ? 'none' : ''}`.trimEnd(),
    ...table([...run.faults].toSorted(([, a], [, b]) => b - a)),
    ...(p50 === null ? [] : [`Recovery: ${run.recoveriesMs.length} times, p50 ${p50} ms, p99 ${p99} ms`]),
    ...(found.length === 0 ? [] : ['Violations:', ...grouped(found)]),
    verdict(run),
  ].join('\n')
}

/** Prints the description, and the report's JSON as the last line; gives whether the run passed. */
export function printReport(run: ProofRun, print: (line: string) => void = console.log): boolean {
  const result = report(run)
  print(describeRun(run))
  print(JSON.stringify(result))
  return passed(result)
}

/** Adds a history's faults to those of others. */
export function countFaults(faults: readonly Fault[], into: Map<string, number> = new Map()): Map<string, number> {
  for (const { kind } of faults) into.set(kind, (into.get(kind) ?? 0) + 1)
  return into
}

/**
 * For each mission that an instance owned when it was killed or frozen (`Fault.owned`): milliseconds until another instance
 * moved it on, by an event or a tool. Left out are those that had only to rest, that the same instance moved on, or that
 * nobody moved.
 */
export function recoveryTimes(history: History): number[] {
  const whole = byMission(history)
  const faults = history.faults.filter(({ kind }) => kind === 'kill' || kind === 'freeze')
  return faults.flatMap((fault) =>
    (fault.owned ?? []).flatMap(({ missionId, epoch }) => recoveryOf(whole, fault, missionId, epoch) ?? []),
  )
}

function recoveryOf(whole: Whole, { at, instance }: Fault, id: string, epoch: number): number | undefined {
  const row = whole.missions.get(id)
  const rows = whole.events.get(id)
  if (row === undefined || rows === undefined) return undefined
  const subject = subjectOf(whole, row, rows)
  const time = (event: { at: number }) => byRecorder(whole.history, event.at)
  const before = subject.steps.findLast(({ event }) => time(event) <= at)?.after
  // What is in the journal by then needs nobody: it waits for a time or a person, whoever releases it.
  const next = before && decide(before, at - whole.history.endedAt + whole.history.databaseNow, ONLOOKER)[0]
  if (next?.do === 'wait' || next?.do === 'pause' || next?.do === 'stop') return undefined
  const after = rows.filter((event) => time(event) > at)
  if (after.some((event) => event.epoch === epoch && !/^(question\.answered|mission\.)/.test(event.type)))
    return undefined
  const moved = [
    ...after.filter((event) => event.epoch > epoch).map(time),
    ...subject.toolRuns.filter((run) => run.instance !== instance && run.begunAt > at).map(({ begunAt }) => begunAt),
  ]
  return moved.length === 0 ? undefined : Math.min(...moved) - at
}

/** The nearest rank, in whole units; null of nothing. */
function percentile(values: readonly number[], share: number): number | null {
  const sorted = values.toSorted((a, b) => a - b)
  const value = sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)]
  return value === undefined ? null : Math.round(value)
}

function table(lines: readonly (readonly [string, number])[]): string[] {
  const width = Math.max(0, ...lines.map(([name]) => name.length))
  const digits = Math.max(0, ...lines.map(([, number]) => String(number).length))
  return lines.map(([name, number]) => `  ${name.padEnd(width)}  ${String(number).padStart(digits)}`)
}

function grouped(found: readonly Violation[]): string[] {
  const groups = Map.groupBy(found, ({ invariant, counts }) => `${invariant}, ${counts}`)
  let room = MOST_SHOWN
  const lines = [...groups].flatMap(([name, all]) => {
    // Each rule that was broken shows up, whatever came before it.
    const shown = all.slice(0, Math.max(1, Math.min(room, Math.ceil(MOST_SHOWN / groups.size))))
    room -= shown.length
    return [`  ${name}: ${all.length}`, ...shown.map(({ missionId, what }) => `    ${missionId ?? 'all'}: ${what}`)]
  })
  const left = found.length - (MOST_SHOWN - room)
  return left > 0 ? [...lines, `  … and ${left} more`] : lines
}

function verdict(run: ProofRun): string {
  const { recoveryMs: _recovery, seed: _seed, histories: _histories, missions: _missions, ...counts } = report(run)
  const what = `${run.number} ${run.unit}, seed ${run.seed}`
  if (passed(report(run))) return `PASSED: ${what}; nothing lost, duplicated, missing, stuck or illegal`
  const figures = Object.entries(counts).flatMap(([name, number]) => (number > 0 ? [`${number} ${name}`] : []))
  return `FAILED: ${what}; ${figures.join(', ')}`
}
