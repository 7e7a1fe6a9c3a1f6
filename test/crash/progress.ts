import { nameOfTrial, type Trial, type TrialResult } from './sweep.ts'

/** Tells what goes wrong as it does, and of each port when all of its points are through. */
export class Progress {
  readonly #left: Map<string, TrialResult[]>
  readonly #size: Map<string, number>
  readonly #tell: (line: string) => void

  constructor(trials: readonly Trial[], tell: (line: string) => void) {
    const groups = Map.groupBy(trials, groupOf)
    this.#size = new Map([...groups].map(([name, all]) => [name, all.length]))
    this.#left = new Map([...groups].map(([name]) => [name, []]))
    this.#tell = tell
  }

  add(result: TrialResult): void {
    if (result.violations.length > 0 || result.reached < result.trial.length) this.#tell(describe(result))
    const name = groupOf(result.trial)
    const done = this.#left.get(name) ?? []
    done.push(result)
    if (done.length === this.#size.get(name)) this.#tell(summary(name, done))
  }
}

/** Pairs are one group. */
function groupOf(trial: Trial): string {
  return trial.length > 1 ? 'pairs' : (trial[0]?.port ?? '')
}

function summary(name: string, results: readonly TrialResult[]): string {
  const wrong = results.filter(({ violations }) => violations.length > 0).length
  const missed = results.filter(({ trial, reached }) => reached < trial.length).length
  const seconds = results.reduce((sum, { ms }) => sum + ms, 0) / results.length / 1000
  const notes = [`${results.length} points`, `${seconds.toFixed(1)} s each`]
  if (missed > 0) notes.push(`${missed} not reached`)
  if (wrong > 0) notes.push(`${wrong} WRONG`)
  return `${name.padEnd(28)} ${notes.join(', ')}`
}

/** One trial in some lines: the second one has the command that repeats it. */
export function describe({ trial, reached, violations, ids, ms }: TrialResult): string {
  const how = reached < trial.length ? `reached ${reached} of ${trial.length}` : 'reached'
  const head = `${nameOfTrial(trial)}: ${how}, ${(ms / 1000).toFixed(1)} s, missions ${ids.join(' ')}`
  const wrongs = violations.map(
    ({ invariant, counts, missionId, what }) => `  ${invariant} ${counts} ${missionId ?? ''}: ${what}`,
  )
  return [head, ...wrongs].join('\n')
}
