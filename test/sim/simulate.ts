import type { Violation } from '../proof/history.ts'
import { runHistory, type Case, type Outcome } from './run-history.ts'
import { shrink } from './shrink.ts'
import type { Store } from './stores.ts'

/** One of so many histories is run a second time, which must be the same line by line: a seed that can't be replayed proves nothing. */
const REPEATED = 200

/** A history that broke a rule, made as small as it goes. */
export interface Failure {
  found: Case
  smallest: Case
  violations: Violation[]
  injected: Outcome['injected']
  lines: readonly string[]
}

export interface Share {
  histories: number
  faults: [kind: string, count: number][]
  recoveriesMs: number[]
  failures: Failure[]
  /** Of the cases that asked for them. */
  traces: string[]
}

/** Runs the histories of some seeds. */
export async function simulate(store: Store, cases: readonly Case[], small: boolean): Promise<Share> {
  const share: Share = { histories: 0, faults: [], recoveriesMs: [], failures: [], traces: [] }
  const faults = new Map<string, number>()
  for (const one of cases) {
    const outcome = await runHistory(one, await store.fresh(), one.trace)
    if (one.seed % REPEATED === 0) outcome.violations.push(...(await compare(store, one, outcome)))
    share.histories++
    share.traces.push(...(outcome.lines ?? []))
    share.recoveriesMs.push(...outcome.recoveriesMs)
    for (const { kind } of outcome.injected) faults.set(kind, (faults.get(kind) ?? 0) + 1)
    if (outcome.violations.length > 0) share.failures.push(await examine(store, one, outcome, small))
  }
  share.faults = [...faults]
  return share
}

async function compare(store: Store, one: Case, { traced }: Outcome): Promise<Violation[]> {
  const again = await runHistory(one, await store.fresh())
  if (again.traced === traced) return []
  return [{ invariant: 'replay', counts: 'illegal', what: `Seed ${one.seed} gave two different histories.` }]
}

async function examine(store: Store, found: Case, outcome: Outcome, small: boolean): Promise<Failure> {
  const again = async (smaller: Case) => runHistory(smaller, await store.fresh())
  const smallest = small ? (await shrink(found, outcome, again)).smallest : found
  const { violations, injected, lines } = await runHistory(smallest, await store.fresh(), true)
  return {
    found,
    smallest,
    violations: violations.length > 0 ? violations : outcome.violations,
    injected,
    lines: lines ?? [],
  }
}
