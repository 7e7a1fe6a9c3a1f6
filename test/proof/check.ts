import type { History, Violation } from './history.ts'
import { answers } from './invariants/answers.ts'
import { commands } from './invariants/commands.ts'
import { existence, uniqueness } from './invariants/creations.ts'
import {
  byMission,
  subjectOf,
  type CheckOptions,
  type Invariant,
  type Subject,
  type Whole,
} from './invariants/facts.ts'
import { epochs, forks, journals, tenants } from './invariants/journals.ts'
import { leases } from './invariants/leases.ts'
import { limits } from './invariants/limits.ts'
import { reads } from './invariants/reads.ts'
import { replay } from './invariants/replay.ts'
import { sideEffects } from './invariants/side-effects.ts'
import { leftovers, poison, rows, stuck } from './invariants/standing.ts'
import { steps, transitions } from './invariants/steps.ts'
import { latenessOf, timers } from './invariants/timers.ts'

export type { CheckOptions }

const OF_THE_WHOLE: readonly ((whole: Whole) => Violation[])[] = [existence, uniqueness, poison]

const OF_EACH_MISSION: readonly Invariant[] = [
  journals,
  epochs,
  tenants,
  forks,
  steps,
  transitions,
  sideEffects,
  leases,
  timers,
  answers,
  commands,
  limits,
  reads,
  replay,
  rows,
  stuck,
  leftovers,
]

/**
 * Every rule of `protocols-security-faults.md`, section 4.4, that a history breaks; empty for a good one. Not looked at: I15
 * (there is no outbox), I19, I20 and I21 (nothing of them is in a history).
 */
export function check(history: History, options: CheckOptions = {}): Violation[] {
  const whole = byMission(history, options)
  const found = OF_THE_WHOLE.flatMap((invariant) => invariant(whole))
  for (const subject of subjects(whole)) {
    for (const invariant of OF_EACH_MISSION) found.push(...invariant(subject, whole))
  }
  return found
}

/** How late timers and deadlines of questions took effect, in milliseconds; those that a message ended early are left out. */
export function lateness(history: History): number[] {
  const whole = byMission(history)
  return [...subjects(whole)].flatMap((subject) => latenessOf(subject).map(({ ms }) => ms))
}

/** One after the other: the states of 5,000 journals at once would take hundreds of megabytes. */
function* subjects(whole: Whole): Generator<Subject> {
  for (const row of whole.history.missions) {
    const events = whole.events.get(row.id)
    if (events !== undefined) yield subjectOf(whole, row, events)
  }
}
