import { DatabaseError } from 'pg'
import { isPassing } from '../db/pg-errors.ts'
import { DatabaseUnreachable } from './connection-patience.ts'
import type { EngineContext } from './context.ts'

/**
 * Classes of SQLSTATEs that tell of the server, whatever was sent to it: the schema or the rights are not as they should be
 * (42), no room or no memory (53), an operator (57), the disk itself (58). What may come of a mission's own data is not here.
 */
const SERVER_CLASSES = new Set(['42', '53', '57', '58'])

/**
 * Tells failures of the database from those of models and tools, whose own connections break with the same codes: by where
 * they came from. Who worked on a mission meanwhile is not to blame for them, and neither is the mission.
 */
export class DatabaseFaults {
  readonly #errors = new WeakSet<object>()

  /** The same context, with an ear at what a slice asks of the database. */
  watch(context: EngineContext): EngineContext {
    const { journal, missions } = context
    return {
      ...context,
      journal: {
        append: (...args) => this.#note(journal.append(...args)),
        read: (...args) => this.#note(journal.read(...args)),
      },
      missions: {
        ...missions,
        inbox: (lease) => this.#note(missions.inbox(lease)),
        profile: (tenantId, hash) => this.#note(missions.profile(tenantId, hash)),
      },
    }
  }

  /** Whether this very error came from the database, and says nothing about the mission. */
  has(error: unknown): boolean {
    return error instanceof DatabaseUnreachable || (error instanceof Error && this.#errors.has(error))
  }

  async #note<T>(work: Promise<T>): Promise<T> {
    try {
      return await work
    } catch (error) {
      if (error instanceof Error && (isPassing(error) || isServers(error))) this.#errors.add(error)
      throw error
    }
  }
}

function isServers(error: Error): boolean {
  return error instanceof DatabaseError && SERVER_CLASSES.has(error.code?.slice(0, 2) ?? '')
}
