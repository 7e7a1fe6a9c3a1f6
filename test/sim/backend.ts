import type { QueryResult } from 'pg'
import type { EventRecord, MissionRecord } from '../proof/history.ts'

/** A connection to the simulated server, and the transaction that it is in. */
export interface Session {
  id: number
  /** `engine`: all tenants, each statement by itself. `api`: transactions of one tenant. */
  pool: 'engine' | 'api'
}

export interface SimQuery {
  name?: string
  text: string
  values?: unknown[]
  rowMode?: 'array'
}

/**
 * Runs one statement, whole and at once, at the virtual time that it is given: rows as the driver gives them (timestamptz as
 * Date, int8 and numeric as text, jsonb parsed), errors as DatabaseError with its SQLSTATE. `begin; select set_config(…)`,
 * `commit` and `rollback` come as statements too.
 */
export interface Backend {
  /** @throws Blocked where a row or a key is another transaction's until its end; nothing was done then */
  execute(session: Session, query: SimQuery, now: number): Promise<QueryResult> | QueryResult
  /** The session's statement was given up: of its transaction nothing can be committed any more. */
  abort(session: Session): Promise<void> | void
  /** The connection is gone: what it has not committed is undone. */
  disconnect(session: Session): Promise<void> | void
  /** All that is committed; events in the order of (missionId, seq). */
  snapshot(): Promise<Snapshot> | Snapshot
  /** The same where it can be had at once, in the middle of anything. */
  glance?(): Snapshot
}

export interface Snapshot {
  missions: MissionRecord[]
  events: EventRecord[]
  instances: { id: string; aliveUntil: number }[]
}

/** The statement has to wait for another transaction. The simulation tries it again a little later. */
export class Blocked extends Error {
  override readonly name = 'Blocked'
}
