import { Blocked } from '../backend.ts'
import type {
  ContentRow,
  DeltaRow,
  EventRow,
  FactRow,
  InstanceRow,
  KeyRow,
  MissionRow,
  ProfileRow,
  TenantRow,
  WatchedRow,
} from './rows.ts'

/** A transaction: of one tenant for the API, of a single statement and all tenants for the engine. */
export interface Tx {
  tenant: string | undefined
  /** What `now()` gives. */
  now: number
  aborted: boolean
}

/** Rows by their key, as they are committed, and what transactions that are under way have changed and locked. */
export class Table<Row> {
  readonly committed = new Map<string, Row>()
  readonly #staged = new Map<Tx, Map<string, Row | undefined>>()
  readonly #locks = new Map<string, Tx>()

  /** As the transaction sees it. */
  get(tx: Tx, key: string): Row | undefined {
    const own = this.#staged.get(tx)
    return own?.has(key) === true ? own.get(key) : this.committed.get(key)
  }

  values(tx: Tx): Iterable<Row> {
    const own = this.#staged.get(tx)
    return own === undefined ? this.committed.values() : withOwn(this.committed, own)
  }

  isLocked(tx: Tx, key: string): boolean {
    const holder = this.#locks.get(key)
    return holder !== undefined && holder !== tx
  }

  /** @throws Blocked where the row, or a row of this key that is not committed yet, is another transaction's */
  requireFree(tx: Tx, key: string): void {
    if (this.isLocked(tx, key)) throw new Blocked(key)
  }

  lock(tx: Tx, key: string): void {
    this.#locks.set(key, tx)
  }

  /** @param row undefined: it is deleted */
  stage(tx: Tx, key: string, row: Row | undefined): void {
    let own = this.#staged.get(tx)
    if (own === undefined) this.#staged.set(tx, (own = new Map()))
    own.set(key, row)
    this.#locks.set(key, tx)
  }

  /** Gives what has changed. */
  commit(tx: Tx): { before: Row | undefined; after: Row | undefined }[] {
    const changes = [...(this.#staged.get(tx) ?? [])].map(([key, after]) => {
      const before = this.committed.get(key)
      if (after === undefined) this.committed.delete(key)
      else this.committed.set(key, after)
      return { before, after }
    })
    this.forget(tx)
    return changes
  }

  forget(tx: Tx): void {
    this.#staged.delete(tx)
    for (const [key, holder] of this.#locks) if (holder === tx) this.#locks.delete(key)
  }
}

function* withOwn<Row>(committed: Map<string, Row>, own: Map<string, Row | undefined>): Iterable<Row> {
  for (const [key, row] of committed) {
    const changed = own.has(key) ? own.get(key) : row
    if (changed !== undefined) yield changed
  }
  for (const [key, row] of own) if (row !== undefined && !committed.has(key)) yield row
}

/** Journals by mission, in order. They only grow, so a key that is another transaction's is all that there is to lock. */
export class Events {
  readonly committed = new Map<string, EventRow[]>()
  readonly #staged = new Map<Tx, EventRow[]>()

  /** As the transaction sees it; not to be changed. */
  of(tx: Tx, missionId: string): readonly EventRow[] {
    const journal = this.committed.get(missionId) ?? []
    const own = this.#staged.get(tx)?.filter((row) => row.missionId === missionId) ?? []
    return own.length === 0 ? journal : [...journal, ...own].sort((a, b) => a.seq - b.seq)
  }

  /** @throws Blocked where another transaction has inserted it and not ended */
  has(tx: Tx, missionId: string, seq: number): boolean {
    for (const [holder, rows] of this.#staged) {
      if (!rows.some((row) => row.missionId === missionId && row.seq === seq)) continue
      if (holder === tx) return true
      throw new Blocked(`${missionId}/${seq}`)
    }
    const journal = this.committed.get(missionId)
    if (journal === undefined || (journal.at(-1)?.seq ?? 0) < seq) return false
    return journal.some((row) => row.seq === seq)
  }

  stage(tx: Tx, row: EventRow): void {
    const own = this.#staged.get(tx)
    if (own === undefined) this.#staged.set(tx, [row])
    else own.push(row)
  }

  commit(tx: Tx): EventRow[] {
    const rows = this.#staged.get(tx) ?? []
    for (const row of rows) {
      const journal = this.committed.get(row.missionId)
      if (journal === undefined) this.committed.set(row.missionId, [row])
      else {
        const isLast = (journal.at(-1)?.seq ?? 0) < row.seq
        journal.push(row)
        if (!isLast) journal.sort((a, b) => a.seq - b.seq)
      }
    }
    this.forget(tx)
    return rows
  }

  forget(tx: Tx): void {
    this.#staged.delete(tx)
  }
}

export class Tables {
  readonly tenants = new Table<TenantRow>()
  readonly profiles = new Table<ProfileRow>()
  readonly instances = new Table<InstanceRow>()
  readonly missions = new Table<MissionRow>()
  readonly contents = new Table<ContentRow>()
  readonly keys = new Table<KeyRow>()
  readonly facts = new Table<FactRow>()
  readonly deltas = new Table<DeltaRow>()
  readonly watched = new Table<WatchedRow>()
  readonly events = new Events()

  /** Gives the missions and events that have changed. */
  commit(tx: Tx): {
    missions: { before: MissionRow | undefined; after: MissionRow | undefined }[]
    events: EventRow[]
  } {
    const { tenants, profiles, instances, contents, keys, facts, deltas, watched } = this
    for (const table of [tenants, profiles, instances, contents, keys, facts, deltas, watched]) table.commit(tx)
    return { missions: this.missions.commit(tx), events: this.events.commit(tx) }
  }

  rollback(tx: Tx): void {
    for (const table of Object.values(this) as (Table<unknown> | Events)[]) table.forget(tx)
  }
}
