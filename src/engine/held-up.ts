const FIRST_REST_S = 10
const LONGEST_REST_S = 600

/** How many missions are remembered, 100 bytes each; one that is forgotten rests for 10 s again. */
const MOST = 1_000

/**
 * Missions that came to nothing for the database's sake, and how often in a row on this instance. What was tried for half a
 * minute need not be tried again at once. A database that lets a mission be claimed and refuses its events makes every try
 * cost a model's answer that nobody gets to see: 360 an hour with a rest of 10 s, 6 with one of 10 minutes.
 */
export class HeldUp {
  readonly #times = new Map<string, number>()

  /** Counts one more time; the rest is in seconds and doubles each time, up to 10 minutes. */
  again(missionId: string): { times: number; restSeconds: number } {
    const times = (this.#times.get(missionId) ?? 0) + 1
    // Anew, so that it is not among the oldest.
    this.#times.delete(missionId)
    this.#times.set(missionId, times)
    const [oldest] = this.#times.keys()
    if (this.#times.size > MOST && oldest !== undefined) this.#times.delete(oldest)
    return { times, restSeconds: Math.min(LONGEST_REST_S, FIRST_REST_S * 2 ** (times - 1)) }
  }

  forget(missionId: string): void {
    this.#times.delete(missionId)
  }
}
