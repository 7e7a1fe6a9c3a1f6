import { crashMutants } from './list-crash.ts'
import { engineMutants } from './list-engine.ts'
import { instanceMutants } from './list-instances.ts'
import { journalMutants } from './list-journal.ts'
import { missionMutants } from './list-missions.ts'
import { sqlMutants } from './list-sql.ts'

/** One change of a file's text. */
export interface Edit {
  /** By its path from the root of the repository. */
  file: string
  /** Stands in the file exactly once. */
  find: string
  replace: string
}

/** A fault that is built in on purpose, and the proof that has to see it. */
export interface Mutant extends Edit {
  name: string
  /** What a user would see of it. */
  breaks: string
  /** Where the same guard stands in several places, each of which makes up for the others. */
  also?: readonly Edit[]
  proof: Proof
  /** Of the rules that the proof finds broken, the one that has to be among them, such as "I4". */
  rule: string
}

export interface Proof {
  kind: 'sim' | 'crash'
  /** Of test/sim/main.ts or test/crash/main.ts. */
  args: readonly string[]
}

/** All of them, in the order in which they are tried. */
export const mutants: readonly Mutant[] = [
  ...engineMutants,
  ...instanceMutants,
  ...journalMutants,
  ...missionMutants,
  ...sqlMutants,
  ...crashMutants,
]
