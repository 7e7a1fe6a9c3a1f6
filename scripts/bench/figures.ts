/** One line of a bench's output. */
export interface Figure {
  bench: string
  figure: string
  value: number
  unit: string
  baselineName?: string
  baseline?: number
  ratio?: number
  /** How many runs the medians are over. */
  n: number
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? NaN
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? NaN)) / 2
}

export function percentile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.ceil((p / 100) * sorted.length) - 1)] ?? NaN
}

/** Runs `work(0)` to `work(total - 1)`, so many at once. */
export async function inParallel(atOnce: number, total: number, work: (n: number) => Promise<void>): Promise<void> {
  let next = 0
  const lane = async () => {
    while (next < total) await work(next++)
  }
  await Promise.all(Array.from({ length: atOnce }, lane))
}
