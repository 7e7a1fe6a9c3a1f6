import type { Crash } from '../proof/worker/settings.ts'
import type { Violation } from '../proof/history.ts'
import { readLedger } from '../proof/load-history.ts'
import { Random } from '../sim/random.ts'
import { misses } from './expected.ts'
import type { Lane } from './lane.ts'
import type { Scenario } from './mission.ts'
import { isSameAsStatement, nameOf, pointsOf, scenarioOf, type Calls } from './points.ts'
import { runPoint, type PointRun } from './run-point.ts'

/** One point, or two where the second one strikes the worker that takes over. */
export type Trial = readonly Crash[]

export interface TrialResult extends PointRun {
  trial: Trial
  violations: Violation[]
}

/** What trials are run with: each lane runs one after the other, all lanes side by side. */
export interface Bench {
  lanes: readonly Lane[]
  script: string
}

export function nameOfTrial(trial: Trial): string {
  return trial.map(nameOf).join(', then ') || 'no fault'
}

/** With so many trials gone wrong there is enough to look at; each that is stuck takes a minute. */
const MOST_WRONG = 8

/** Runs all trials and tells each result as it comes; stops early where too much goes wrong. */
export async function runTrials(
  { lanes, script }: Bench,
  trials: readonly Trial[],
  onResult: (result: TrialResult) => void,
): Promise<TrialResult[]> {
  const left = [...trials]
  const results: TrialResult[] = []
  await Promise.all(
    lanes.map(async (lane) => {
      for (let trial = left.shift(); trial !== undefined; trial = left.shift()) {
        if (results.filter(({ violations }) => violations.length > 0).length >= MOST_WRONG) return
        const result = await runTrial(lane, script, scenarioOfTrial(trial), trial)
        results.push(result)
        onResult(result)
      }
    }),
  )
  return results
}

function scenarioOfTrial([first]: Trial): Scenario {
  return first === undefined ? 'whole' : scenarioOf(first)
}

/** Tried once more where a crash was not reached: a busy machine may change the order of what happens. */
async function runTrial(lane: Lane, script: string, scenario: Scenario, trial: Trial): Promise<TrialResult> {
  let run = await runPoint(lane, script, scenario, trial)
  const before = await examine(lane, scenario, run, trial)
  if (run.reached >= trial.length || before.length > 0) return { ...run, trial, violations: before }
  run = await runPoint(lane, script, scenario, trial)
  return { ...run, trial, violations: await examine(lane, scenario, run, trial) }
}

async function examine(
  lane: Lane,
  scenario: Scenario,
  { ids, trouble, leaseLost }: PointRun,
  trial: Trial,
): Promise<Violation[]> {
  // A statement whose answer was lost is no reason to leave anything open: the journal tells what became of it.
  const mayBeUnknown = leaseLost || trial.some(({ mode }) => mode !== 'answer-lost')
  const found = await misses(lane, scenario, ids, readLedger(lane.ledger).toolRuns, mayBeUnknown)
  if (trouble === undefined) return found
  return [{ invariant: 'I8', counts: 'stuck', missionId: ids.at(-1), what: trouble }, ...found]
}

/** How often each port is called where nothing fails, in all scenarios. Throws where a run without a fault goes wrong. */
export async function listPoints({ lanes, script }: Bench): Promise<Crash[]> {
  const scenarios: Scenario[] = ['whole', 'watched']
  const found = await Promise.all(
    scenarios.map(async (scenario, index) => {
      const lane = lanes[index % lanes.length] as Lane
      const { calls, violations, trial } = await runTrial(lane, script, scenario, [])
      const [wrong] = violations
      if (wrong !== undefined) throw new Error(`Without any fault (${nameOfTrial(trial)}): ${wrong.what}`)
      return pointsOf(calls[0] ?? new Map()).filter((point) => scenarioOf(point) === scenario)
    }),
  )
  return found.flat()
}

/**
 * So many pairs of a first point that killed its worker and a second one in the worker that took over, by what that one was
 * seen to call.
 */
export function samplePairs(results: readonly TrialResult[], many: number, seed: number): Trial[] {
  const random = new Random(seed, 'pairs')
  const killed = results
    .filter(({ trial, reached, calls }) => trial.length === 1 && reached === 1 && calls.length > 1)
    // In one order, whichever lane was faster.
    .toSorted((a, b) => (nameOfTrial(a.trial) < nameOfTrial(b.trial) ? -1 : 1))
    .map(({ trial, calls }) => ({ trial, seconds: secondsOf(calls[1] ?? new Map()) }))
    .filter(({ seconds }) => seconds.length > 0)
  if (killed.length === 0) return []
  return Array.from({ length: many }, () => {
    const { trial, seconds } = random.pick(killed)
    return [...trial, random.pick(seconds)]
  })
}

function secondsOf(calls: Calls): Crash[] {
  const points = pointsOf(calls).filter((point) => !isSameAsStatement(point))
  return points.toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))
}
