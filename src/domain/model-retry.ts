/**
 * How often in a row a model may fail before its mission does. The delays of 10 failures add up to about 25 minutes,
 * longer than most outages of a model deployment.
 */
export const MODEL_ATTEMPTS = 10

const FIRST_MS = 2_000
const LONGEST_MS = 300_000

/** Milliseconds to wait after the nth failure in a row: 2 s, 4 s, 8 s … 5 min. */
export function retryDelayMs(failures: number): number {
  return Math.min(LONGEST_MS, FIRST_MS * 2 ** (failures - 1))
}
