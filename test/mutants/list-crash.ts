import type { Mutant } from './list.ts'
import { crashAt } from './proofs.ts'

const WRITER = 'src/engine/journal-writer.ts'

/** Of what a killed process and a broken connection alone show. */
export const crashMutants: readonly Mutant[] = [
  {
    name: 'no-read-back',
    breaks: 'After a broken connection a call that was only announced counts as one that nobody knows the outcome of.',
    file: WRITER,
    find: "return (ambiguous ? await this.#readOwn(append) : undefined) ?? { kind: 'conflict' }",
    replace: "return { kind: 'conflict' }",
    proof: crashAt('sql.append_one#6 answer-lost'),
    rule: 'I3',
  },
]
