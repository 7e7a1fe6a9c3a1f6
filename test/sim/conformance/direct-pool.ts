import type { QueryResult } from 'pg'
import type { Databases, EngineDb } from '../../../src/db/connection.ts'
import { Blocked, type Backend, type Session, type SimQuery } from '../backend.ts'
import { databaseError } from '../memory/errors.ts'

export interface DirectOptions {
  now(): number
  /** What a statement does that has to wait: it waits, or fails as after its time limit. */
  blocked: 'waits' | 'fails'
}

/** Pools straight onto a backend, without latency or faults, and a look at who waits. */
export interface DirectDatabases extends Databases {
  /** Statements that wait for somebody's row just now. */
  waiting(): number
}

type Give = (session: Session, query: SimQuery) => Promise<QueryResult>

export function directDatabases(
  backend: Backend & { abort(session: Session): void },
  { now, blocked }: DirectOptions,
): DirectDatabases {
  let sessions = 0
  let waiting = 0
  /** Resolved whenever a statement has ended, which may have let rows go. */
  let step = Promise.withResolvers<void>()
  const give: Give = async (session, query) => {
    for (;;) {
      try {
        const result = await backend.execute(session, query, now())
        step.resolve()
        step = Promise.withResolvers()
        return result
      } catch (error) {
        if (!(error instanceof Blocked)) throw error
        if (blocked === 'fails') {
          await backend.abort(session)
          throw databaseError('55P03', 'canceling statement due to lock timeout')
        }
        waiting++
        await step.promise
        waiting--
      }
    }
  }
  const pool = (kind: Session['pool']) => directPool(kind, give, () => ++sessions, backend)
  return {
    api: pool('api'),
    engine: pool('engine'),
    waiting: () => waiting,
    close: async () => undefined,
  }
}

type Query = string | SimQuery

function toQuery(query: Query, values?: unknown[]): SimQuery {
  return typeof query === 'string' ? { text: query, values } : query
}

/** What the code uses of a pool. */
function directPool(kind: Session['pool'], give: Give, nextId: () => number, backend: Backend): EngineDb {
  const pool = {
    options: { pipeline: true },
    query: (query: Query, values?: unknown[]) => give({ id: nextId(), pool: kind }, toQuery(query, values)),
    connect: async () => directClient({ id: nextId(), pool: kind }, give, backend),
    on: () => undefined,
    end: async () => undefined,
  }
  return pool as unknown as EngineDb
}

/** Statements go in the order in which they were given, also where nobody waited for the one before. */
function directClient(session: Session, give: Give, backend: Backend): object {
  let last: Promise<unknown> = Promise.resolve()
  return {
    query: (query: Query, values?: unknown[]) => {
      const next = last.then(() => give(session, toQuery(query, values)))
      last = next.catch(() => undefined)
      return next
    },
    on: () => undefined,
    off: () => undefined,
    release: () => void backend.disconnect(session),
  }
}
