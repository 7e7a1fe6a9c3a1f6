/** Numbers that follow from a seed alone (mulberry32); streams by name don't disturb each other. */
export class Random {
  #state: number

  constructor(seed: number, stream = '') {
    this.#state = seed | 0
    for (const char of `${stream}.`) this.#state = Math.imul(this.#state ^ char.charCodeAt(0), 0x9e3779b1) | 0
  }

  /** From 0 up to, and without, 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  /** A whole number from `least` to `most`, both included. */
  int(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1))
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  pick<T>(from: readonly [T, ...T[]] | readonly T[]): T {
    const found = from[Math.floor(this.next() * from.length)]
    if (found === undefined && from.length === 0) throw new Error('There is nothing to pick from')
    return found as T
  }

  /** Mostly short, now and then long: from 0 to `most`. */
  skewed(most: number): number {
    return Math.floor(this.next() ** 4 * most)
  }

  /** Of version 7 by its bits, so that everything that parses ids takes it. */
  uuid(): string {
    const hex = Array.from({ length: 32 }, () => this.int(0, 15).toString(16)).join('')
    const variant = '89ab'[this.int(0, 3)]
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-7${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20)}`
  }
}
