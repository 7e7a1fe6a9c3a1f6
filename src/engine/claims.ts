/**
 * Claims of one instance: while a statement is on its way, whoever wants a mission too waits for the next one, which then
 * claims for all of them. Wakes come by the dozen, and a statement each would cost the database more than their first steps.
 */
export class Claims<Claimed> {
  readonly #claim: (most: number) => Promise<Claimed[]>
  #waiting: PromiseWithResolvers<Claimed | undefined>[] = []
  #claiming = false

  constructor(claim: (most: number) => Promise<Claimed[]>) {
    this.#claim = claim
  }

  /** The mission that should move next, if there is one for everybody who asked before. */
  next(): Promise<Claimed | undefined> {
    const asked = Promise.withResolvers<Claimed | undefined>()
    this.#waiting.push(asked)
    if (!this.#claiming) void this.#serve()
    return asked.promise
  }

  async #serve(): Promise<void> {
    this.#claiming = true
    await Promise.resolve()
    while (this.#waiting.length > 0) {
      const asking = this.#waiting.splice(0)
      try {
        const claims = await this.#claim(asking.length)
        asking.forEach(({ resolve }, index) => resolve(claims[index]))
      } catch (error) {
        for (const { reject } of asking) reject(error)
      }
    }
    this.#claiming = false
  }
}
