import { Random } from './random.ts'

/**
 * What may go wrong at a call of a port. `before` and `after`: the process dies, with the call not made, or made and its
 * answer unread. `not-sent`, `unanswered`: it fails, and nothing was done, or all of it. `slow`: it takes up to a minute.
 */
export type CallFault = 'before' | 'after' | 'not-sent' | 'unanswered' | 'slow' | 'rolled-back' | 'lost' | 'twice'

export interface Injected {
  /** By which it is asked for again, in this very history. */
  id: string
  kind: string
  where: string
}

/** How much goes wrong, and what: each history has some of it, so that rare pairs are not drowned by frequent ones (swarm testing). */
const RATES = [0, 0.005, 0.02, 0.05, 0.12]
const SHARE_OF_KINDS = 0.6

/** Every fault of a history: which there are follows from the seed, and which of them happen from `only`. */
export class Faults {
  readonly injected: Injected[] = []
  readonly #random: Random
  readonly #rate: number
  readonly #only: ReadonlySet<string> | undefined
  /** Of the kinds that came up so far: whether this history has them. */
  readonly #kinds = new Map<string, boolean>()
  #points = 0
  #healed = false

  constructor(seed: number, only?: ReadonlySet<string>) {
    this.#random = new Random(seed, 'faults')
    this.#rate = this.#random.pick(RATES)
    this.#only = only
  }

  /** What goes wrong at a call, if anything. */
  at<Kind extends string>(where: string, kinds: readonly Kind[]): Kind | undefined {
    const drawn = this.#random.next()
    const kind = this.#random.pick(kinds)
    const id = `p${this.#points++}`
    return drawn < this.#rate && this.#isOn(kind) && this.happens(id, kind, where) ? kind : undefined
  }

  /** Whether a fault that was planned by itself happens. */
  happens(id: string, kind: string, where: string): boolean {
    if (this.#healed || this.#only?.has(id) === false) return false
    this.injected.push({ id, kind, where })
    return true
  }

  get healed(): boolean {
    return this.#healed
  }

  /** From now on nothing goes wrong any more. */
  heal(): void {
    this.#healed = true
  }

  /** Decided once for each kind and history. */
  #isOn(kind: string): boolean {
    const known = this.#kinds.get(kind)
    if (known !== undefined) return known
    const on = this.#random.chance(SHARE_OF_KINDS)
    this.#kinds.set(kind, on)
    return on
  }
}
