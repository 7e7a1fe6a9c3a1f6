import type { Case } from './run-history.ts'
import type { Failure } from './simulate.ts'

/** Beats and polls come by time and say little; the whole trace has them too. */
const NOISE = /: (control_poll|instance_beat|any_free)|\b(control_poll|instance_beat): \d+ rows/
const MOST_LINES = 400

/** The command that shows exactly this history. */
export function commandFor({ seed, missions, faults }: Case, store: string): string {
  const only = (name: string, list: readonly (string | number)[] | undefined) =>
    list === undefined ? '' : ` --${name} ${list.length === 0 ? 'none' : list.join(',')}`
  const where = store === 'memory' ? '' : ` --store ${store}`
  return `npm run test:sim -- --seed ${seed} --histories 1${where}${only('missions', missions)}${only('faults', faults)}`
}

/** What a person needs to see of one that failed: what broke, what was done to it, and what everybody did. */
export function describeFailure({ found, smallest, violations, injected, lines }: Failure, store: string): string[] {
  const shown = lines.filter((line) => !NOISE.test(line))
  return [
    `Seed ${found.seed} broke ${violations.length === 1 ? 'a rule' : `${violations.length} rules`}:`,
    ...violations.slice(0, 5).map(({ invariant, missionId, what }) => `  ${invariant} ${missionId ?? ''} ${what}`),
    `Smallest case found: ${commandFor(smallest, store)}`,
    'Its faults:',
    ...injected.map(({ id, kind, where }) => `  ${id} ${kind} ${where}`),
    `What happened (seconds, who, what; without beats and polls${shown.length > MOST_LINES ? `; the last ${MOST_LINES} lines` : ''}):`,
    ...shown.slice(-MOST_LINES).map((line) => `  ${line}`),
  ]
}
