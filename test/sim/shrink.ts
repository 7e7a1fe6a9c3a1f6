import type { Violation } from '../proof/history.ts'
import type { Case, Outcome } from './run-history.ts'

/** Histories that are run for it at most: some seconds. */
const MOST_RUNS = 150

/**
 * A smaller case that breaks one of the same rules: without every mission, and then without every fault, that it can do
 * without. Halves are tried first (delta debugging, Zeller 2002).
 */
export async function shrink(
  found: Case,
  outcome: Outcome,
  run: (smaller: Case) => Promise<Outcome>,
): Promise<{ smallest: Case; outcome: Outcome }> {
  let best = { smallest: found, outcome }
  let left = MOST_RUNS
  const rules = rulesOf(outcome.violations)
  async function fails(smaller: Case): Promise<boolean> {
    if (left-- <= 0) return false
    const again = await run(smaller)
    if (!again.violations.some((violation) => rules.has(ruleOf(violation)))) return false
    best = { smallest: smaller, outcome: again }
    return true
  }
  const missions = found.missions ?? Array.from({ length: outcome.planned }, (_, n) => n)
  await without(missions, (some) => fails({ ...best.smallest, missions: some }))
  const faults = found.faults ?? best.outcome.injected.map(({ id }) => id)
  await without(faults, (some) => fails({ ...best.smallest, faults: some }))
  return best
}

/** Leaves out as much of a list as it can while `fails` stays true: halves, quarters, and in the end one by one. */
async function without<T>(list: readonly T[], fails: (some: readonly T[]) => Promise<boolean>): Promise<void> {
  let kept = list
  for (let size = Math.ceil(kept.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < kept.length;) {
      const some = [...kept.slice(0, from), ...kept.slice(from + size)]
      if (some.length < kept.length && (await fails(some))) kept = some
      else from += size
    }
  }
}

function rulesOf(violations: readonly Violation[]): Set<string> {
  return new Set(violations.map(ruleOf))
}

function ruleOf({ invariant, counts }: Violation): string {
  return `${invariant} ${counts}`
}
