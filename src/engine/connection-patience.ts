import { isConnectionError } from '../db/pg-errors.ts'
import type { Clock } from './ports.ts'

/** How long a database that can't be reached is tried again: about as long as a lease can last. */
export const PAUSES_MS = [100, 300, 1_000, 3_000, 5_000, 10_000, 10_000]

/** The database stayed away for longer than a lease lasts. Says nothing about the work that needed it. */
export class DatabaseUnreachable extends Error {
  override readonly name = 'DatabaseUnreachable'

  constructor(cause: unknown) {
    super('The database does not answer', { cause })
  }
}

/** Repeats what may safely be repeated while the database is out of reach: a restart is no failure of the work itself. */
export async function patiently<T>(clock: Clock, work: () => Promise<T>): Promise<T> {
  for (const pause of PAUSES_MS) {
    try {
      return await work()
    } catch (error) {
      if (!isConnectionError(error)) throw error
      await clock.sleep(pause)
    }
  }
  try {
    return await work()
  } catch (error) {
    throw isConnectionError(error) ? new DatabaseUnreachable(error) : error
  }
}
