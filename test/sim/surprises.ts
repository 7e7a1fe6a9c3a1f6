/** Of the history that runs in this process: what it threw and nobody caught. */
let found: string[] | undefined

/** Where no history runs, the error is the simulation's own, and ends it. */
export function surprise(error: unknown): void {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  if (found === undefined) throw new Error(`Between two histories: ${text}`, { cause: error })
  found.push(`uncaught: ${text}`)
}

/** From now on they are this history's. */
export function collectSurprises(into: string[] | undefined): void {
  found = into
}
