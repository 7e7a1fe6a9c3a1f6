import { EVENT_VERSION } from '../../../src/domain/event.ts'
import { checkViolation, uniqueViolation } from './errors.ts'
import { jsonb } from './jsonb.ts'
import type { EventRow, MissionRow } from './rows.ts'
import type { Table, Tables, Tx } from './tables.ts'

/** Rows as the driver gives them, or how many were changed where none are asked for. */
export type Answer = object[] | number

export type Handler = (run: Run) => Answer

const STATUSES = new Set(['queued', 'running', 'waiting', 'paused', 'completed', 'failed', 'cancelled'])

/**
 * One statement. It reads the rows as they were when it began, and what it changes takes effect at its end: a handler that
 * throws has done nothing.
 */
export class Run {
  readonly tables: Tables
  readonly tx: Tx
  /** What `clock_timestamp()` gives. */
  readonly clock: number
  readonly values: readonly unknown[]
  readonly #effects: (() => void)[] = []
  readonly #inserted = new Set<string>()
  #living: Set<string> | undefined

  constructor(tables: Tables, tx: Tx, clock: number, values: readonly unknown[]) {
    this.tables = tables
    this.tx = tx
    this.clock = clock
    this.values = values
  }

  get now(): number {
    return this.tx.now
  }

  /** `now()` and an interval, to the microsecond as Postgres has it. */
  inSeconds(seconds: number): number {
    return this.now + Math.round(seconds * 1e6) / 1e3
  }

  /** Whether row-level security lets it through. */
  sees(tenantId: string): boolean {
    return this.tx.tenant === undefined || this.tx.tenant === tenantId
  }

  mission(id: string): MissionRow | undefined {
    const row = this.tables.missions.get(this.tx, id)
    return row !== undefined && this.sees(row.tenantId) ? row : undefined
  }

  /** A mission under a lease that is still its own; whether its owner lives is not asked. */
  leased(id: string, epoch: number, owner: string): MissionRow | undefined {
    const row = this.mission(id)
    return row?.epoch === epoch && row.owner === owner ? row : undefined
  }

  missions(): MissionRow[] {
    const rows = [...this.tables.missions.values(this.tx)]
    return this.tx.tenant === undefined ? rows : rows.filter(({ tenantId }) => this.sees(tenantId))
  }

  journal(missionId: string): readonly EventRow[] {
    const rows = this.tables.events.of(this.tx, missionId)
    return this.tx.tenant === undefined ? rows : rows.filter(({ tenantId }) => this.sees(tenantId))
  }

  /** Instances that live. */
  living(): ReadonlySet<string> {
    if (this.#living !== undefined) return this.#living
    this.#living = new Set()
    for (const { id, aliveUntil } of this.tables.instances.values(this.tx)) {
      if (aliveUntil > this.now) this.#living.add(id)
    }
    return this.#living
  }

  /** @throws Blocked */
  put<Row>(table: Table<Row>, key: string, row: Row | undefined): void {
    table.requireFree(this.tx, key)
    this.#effects.push(() => table.stage(this.tx, key, row))
  }

  /** @throws Blocked */
  lock<Row>(table: Table<Row>, key: string): void {
    table.requireFree(this.tx, key)
    this.#effects.push(() => table.lock(this.tx, key))
  }

  /** @throws Blocked */
  update(row: MissionRow, change: Partial<MissionRow>): MissionRow {
    const changed = { ...row, ...change }
    if (!STATUSES.has(changed.status)) throw checkViolation('missions_status_check')
    this.put(this.tables.missions, row.id, changed)
    return changed
  }

  /** @throws Blocked */
  insertEvent(mission: MissionRow, seq: number, type: string, json: string, epoch = mission.epoch): EventRow {
    const row: EventRow = {
      missionId: mission.id,
      seq,
      epoch,
      v: EVENT_VERSION,
      type,
      data: jsonb(json),
      at: this.clock,
      tenantId: mission.tenantId,
    }
    if (seq < 1) throw checkViolation('events_seq_check')
    const key = `${mission.id}/${seq}`
    if (this.tables.events.has(this.tx, mission.id, seq) || this.#inserted.has(key))
      throw uniqueViolation('events_pkey')
    this.#inserted.add(key)
    this.#effects.push(() => this.tables.events.stage(this.tx, row))
    return row
  }

  finish(): void {
    for (const effect of this.#effects) effect()
  }
}

/** As the driver gives a column of type timestamptz. */
export function date(ms: number | null): Date | null {
  return ms === null ? null : new Date(ms)
}

/** `extract(epoch from …) * 1000` as the driver gives it. */
export function numericMs(ms: number): string {
  return `${ms.toFixed(3)}000`
}
