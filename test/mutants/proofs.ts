import type { Proof } from './list.ts'

/** Far more than any of the list needs today, so that a small change of the simulation does not hide a mutant. */
const MOST_IN_MEMORY = 3_000
/** A hundred times slower. */
const MOST_ON_SQL = 150

/** The simulation in memory, up to the first history that breaks a rule. */
export function simulation(seed = 1): Proof {
  return { kind: 'sim', args: ['--first', '--seed', String(seed), '--histories', String(MOST_IN_MEMORY)] }
}

/** The same on the statements themselves. */
export function simulationOnSql(seed = 1): Proof {
  const histories = String(MOST_ON_SQL)
  return { kind: 'sim', args: ['--first', '--store', 'postgres', '--seed', String(seed), '--histories', histories] }
}

/** One point of the crash sweep. */
export function crashAt(point: string): Proof {
  return { kind: 'crash', args: ['--point', point] }
}
