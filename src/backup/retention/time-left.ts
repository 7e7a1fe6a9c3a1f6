/** How long a run may still go on: a timer's invocation ends by itself, and what is left waits for the next one. */
export interface TimeLeft {
  /** Also when the run was told to stop. */
  isOver(): boolean
  /** Milliseconds since the run began. */
  elapsed(): number
}

/** @param mostMs from now */
export function timeLeft(mostMs: number, signal?: AbortSignal): TimeLeft {
  const begun = performance.now()
  const elapsed = () => performance.now() - begun
  return { elapsed, isOver: () => signal?.aborted === true || elapsed() >= mostMs }
}

/**
 * Leaves the database to others for as long as it was just kept busy: a backlog of years is gone in twice the time then, and
 * running missions have half of the server even where it has one core.
 */
export async function makeWay(busyMs: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, Math.min(busyMs, 1_000)))
}
