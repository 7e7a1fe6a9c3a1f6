import { check } from '../proof/check.ts'
import type { Violation } from '../proof/history.ts'
import { loadHistory, readLedger } from '../proof/load-history.ts'
import { countFaults, passed, printReport, recoveryTimes, report, type ProofRun } from '../proof/report.ts'
import { recorderNow } from '../proof/worker/file-ledger.ts'
import type { Lane } from './lane.ts'
import { isByTime } from './points.ts'
import { nameOfTrial, type Bench, type TrialResult } from './sweep.ts'

/** Points that were not reached prove nothing; on a busy machine some of the pairs are not. */
const MOST_MISSED = 0.05

/**
 * Looks at each lane's whole history, and prints the report. False where anything is wrong, or where too many of the points
 * were not reached.
 */
export async function conclude(
  { lanes }: Bench,
  results: readonly TrialResult[],
  { seed, json }: { seed: number; json: boolean },
): Promise<boolean> {
  const run: ProofRun & { violations: Violation[][]; recoveriesMs: number[] } = {
    unit: 'missions',
    number: results.reduce((sum, { ids }) => sum + ids.length, 0),
    violations: [],
    recoveriesMs: [],
    faults: countFaults(lanes.flatMap(({ faults }) => faults)),
    seed,
  }
  for (const lane of lanes) await look(lane, run)
  run.violations.push(results.flatMap(({ violations }) => violations))
  const print = (line: string) => process.stdout.write(`${line}\n`)
  if (json) print(JSON.stringify(report(run)))
  else {
    for (const { trial, violations } of results) {
      if (violations.length > 0) print(`Wrong at ${commandOf(trial)}`)
    }
    printReport(run, print)
  }
  if (results.length === 0) {
    process.stderr.write('No point was run, so nothing is proven; --list names them.\n')
    return false
  }
  return passed(report(run)) && wasReached(results)
}

async function look(lane: Lane, run: { violations: Violation[][]; recoveriesMs: number[] }): Promise<void> {
  const { toolRuns, faults } = readLedger(lane.ledger)
  const now = recorderNow()
  const history = await loadHistory(lane.ownerUrl, {
    toolRuns,
    requests: lane.requests,
    reads: [],
    faults: [...lane.faults, ...faults],
    claims: await lane.claims(),
    poisoned: 0,
    healedAt: now,
    endedAt: now,
  })
  run.violations.push(check(history, { deep: true }))
  run.recoveriesMs.push(...recoveryTimes(history))
}

function commandOf(trial: TrialResult['trial']): string {
  return `npm run test:crash -- ${trial.map((one) => `--point "${nameOfTrial([one])}"`).join(' ')}`
}

function wasReached(results: readonly TrialResult[]): boolean {
  const counted = results.filter(({ trial }) => !trial.some(isByTime))
  const missed = counted.filter(({ trial, reached }) => reached < trial.length)
  if (missed.length <= counted.length * MOST_MISSED) return true
  const names = missed.slice(0, 10).map(({ trial }) => nameOfTrial(trial))
  process.stderr.write(
    `FAILED: ${missed.length} of ${counted.length} points were not reached, which is too many: ${names.join('; ')}\n`,
  )
  return false
}
