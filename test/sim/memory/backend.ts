import type { QueryResult } from 'pg'
import { DEFAULT_TENANT } from '../../../src/missions/context.ts'
import type { EventRecord, MissionRecord } from '../../proof/history.ts'
import { Blocked, type Backend, type Session, type SimQuery, type Snapshot } from '../backend.ts'
import { appends } from './append-events.ts'
import { claims } from './claim-mission.ts'
import { creations } from './create-mission.ts'
import { drain } from './drain.ts'
import { noTenant, transactionAborted } from './errors.ts'
import { instances } from './instances.ts'
import { missions } from './missions.ts'
import { previews } from './previews.ts'
import { reads } from './reads.ts'
import { eventRecord, missionRecord, type FactRow } from './rows.ts'
import { Run, type Answer, type Handler } from './run.ts'
import { stored } from './stored.ts'
import { Tables, type Tx } from './tables.ts'

export interface MemoryTenant {
  id: string
  /** 1 unless told. */
  weight?: number
  /** No limit unless told. */
  maxRunning?: number
}

/** What one commit has changed. */
export interface Commit {
  session: Session
  /** Name of the engine's statement; absent for a transaction. */
  statement?: string
  at: number
  missions: { before: MissionRecord | undefined; after: MissionRecord }[]
  events: EventRecord[]
}

export interface MemoryOptions {
  /** Besides the default one of the migrations. */
  tenants?: readonly MemoryTenant[]
  onCommit?: (commit: Commit) => void
}

const handlers = new Map<string, Handler>(
  Object.entries({
    ...appends,
    ...claims,
    ...creations,
    ...drain,
    ...instances,
    ...missions,
    ...previews,
    ...reads,
    ...stored,
  }),
)

const BEGIN =
  /^\s*begin;\s*select set_config\('role', 'taskforce_api', true\), set_config\('app\.tenant', '([0-9a-f-]{36})', true\)\s*$/

/**
 * The database of the simulation: tables in memory, and each statement of src/db/queries as the function that its name
 * stands for. It does what Postgres does with READ COMMITTED and row-level security; a statement that would wait throws
 * `Blocked` and has done nothing. The conformance suite holds it to that.
 */
export class MemoryBackend implements Backend {
  onCommit: ((commit: Commit) => void) | undefined
  #tables = new Tables()
  readonly #open = new Map<number, Tx>()

  constructor({ tenants = [], onCommit }: MemoryOptions = {}) {
    this.onCommit = onCommit
    this.clear(tenants)
  }

  /** As it was after the migrations, with these tenants besides. Whatever is under way is forgotten. */
  clear(tenants: readonly MemoryTenant[] = []): void {
    this.#open.clear()
    this.#tables = new Tables()
    for (const tenant of [{ id: DEFAULT_TENANT }, ...tenants]) this.addTenant(tenant)
  }

  addTenant({ id, weight = 1, maxRunning }: MemoryTenant): void {
    this.#tables.tenants.committed.set(id, { id, weight, maxRunning: maxRunning ?? null, turns: 0, deleted: false })
  }

  /** From now on the tenant is being removed. */
  markDeleted(tenantId: string): void {
    const tenant = this.#tables.tenants.committed.get(tenantId)
    if (tenant !== undefined) this.#tables.tenants.committed.set(tenantId, { ...tenant, deleted: true })
  }

  execute(session: Session, query: SimQuery, now: number): QueryResult {
    if (query.name !== undefined) return this.#runNamed(session, query, now)
    const begun = BEGIN.exec(query.text)
    if (begun !== null) return this.#begin(session, begun[1], now)
    if (query.text === 'commit') return this.#end(session, now, true)
    if (query.text === 'rollback') return this.#end(session, now, false)
    throw new Error(`The simulated database runs statements by their names, and this one has none: ${query.text}`)
  }

  disconnect(session: Session): void {
    this.#end(session, 0, false)
  }

  /** A statement of the session was given up, by a time limit or a cancel: its transaction, if any, can only be rolled back. */
  abort(session: Session): void {
    const tx = this.#open.get(session.id)
    if (tx !== undefined) tx.aborted = true
  }

  glance(): Snapshot {
    return this.snapshot()
  }

  /** Missions in the order of their creation. */
  snapshot(): Snapshot & { facts: FactRow[] } {
    const { missions: rows, events, instances: processes, facts } = this.#tables
    const inOrder = [...rows.committed.values()].sort((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1))
    const ids = [...events.committed.keys()].sort()
    return {
      missions: inOrder.map(missionRecord),
      events: ids.flatMap((id) => (events.committed.get(id) ?? []).map(eventRecord)),
      instances: [...processes.committed.values()].map(({ id, aliveUntil }) => ({ id, aliveUntil })),
      facts: [...facts.committed.values()],
    }
  }

  #begin(session: Session, tenant: string | undefined, now: number): QueryResult {
    const open = this.#open.get(session.id)
    if (open?.aborted === true) throw transactionAborted()
    if (open === undefined) this.#open.set(session.id, { tenant, now, aborted: false })
    return resultOf('SELECT', [{ set_config: 'taskforce_api' }])
  }

  #end(session: Session, now: number, commit: boolean): QueryResult {
    const tx = this.#open.get(session.id)
    this.#open.delete(session.id)
    if (tx === undefined) return resultOf(commit ? 'COMMIT' : 'ROLLBACK', 0)
    if (commit && !tx.aborted) {
      this.#commit(tx, session, now)
      return resultOf('COMMIT', 0)
    }
    this.#tables.rollback(tx)
    return resultOf('ROLLBACK', 0)
  }

  #runNamed(session: Session, { name = '', values = [], rowMode }: SimQuery, now: number): QueryResult {
    const handler = handlers.get(name)
    if (handler === undefined) throw new Error(`The simulated database has no statement with the name "${name}"`)
    const open = this.#open.get(session.id)
    if (open?.aborted === true) throw transactionAborted()
    if (open === undefined && session.pool === 'api') throw noTenant()
    const tx = open ?? { tenant: undefined, now, aborted: false }
    let answer: Answer
    try {
      const run = new Run(this.#tables, tx, now, values)
      answer = handler(run)
      run.finish()
    } catch (error) {
      if (!(error instanceof Blocked)) tx.aborted = true
      throw error
    }
    if (open === undefined) this.#commit(tx, session, now, name)
    if (rowMode !== 'array' || typeof answer === 'number') return resultOf('', answer)
    return resultOf(
      '',
      answer.map((row): unknown[] => Object.values(row)),
    )
  }

  #commit(tx: Tx, session: Session, at: number, statement?: string): void {
    const { missions: changes, events } = this.#tables.commit(tx)
    if (this.onCommit === undefined || changes.length + events.length === 0) return
    this.onCommit({
      session,
      ...(statement === undefined ? {} : { statement }),
      at,
      missions: changes.flatMap(({ before, after }) =>
        after === undefined ? [] : [{ before: before && missionRecord(before), after: missionRecord(after) }],
      ),
      events: events.map(eventRecord),
    })
  }
}

function resultOf(command: string, answer: Answer): QueryResult {
  const rows = typeof answer === 'number' ? [] : answer
  return { command, rows, rowCount: typeof answer === 'number' ? answer : rows.length, oid: 0, fields: [] }
}
