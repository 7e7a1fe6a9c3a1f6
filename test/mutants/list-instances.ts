import type { Mutant } from './list.ts'
import { simulation } from './proofs.ts'

const INSTANCE = 'src/engine/instance.ts'

/** Of who holds what, and of what is done again. */
export const instanceMutants: readonly Mutant[] = [
  {
    name: 'suspects-kept-together',
    breaks: 'A mission that kills its instances takes innocent ones with it.',
    file: INSTANCE,
    find: 'const suspect = ![...this.#held.values()].some((hold) => hold.suspect)',
    replace: 'const suspect = true',
    proof: simulation(14_350),
    rule: 'ending',
  },
  {
    name: 'once-call-tried-again',
    breaks: 'A payment that failed half-way is tried again at once.',
    file: 'src/engine/run-tool.ts',
    find: "|| tool.effect === 'once' || n === ATTEMPTS",
    replace: '|| n === ATTEMPTS',
    proof: simulation(),
    rule: 'I4',
  },
]
