import type { EventDraft, MissionEvent } from '../../domain/event.ts'
import { EVENT_VERSION } from '../../domain/event.ts'
import type { EngineDb, TenantTx } from '../connection.ts'
import { storable, storableJson, type Storable } from './storable.ts'

/** What changes in the mission's own row together with its events. */
export interface Transition {
  status: string
  /** Seconds from now until the mission may move again; null: when somebody acts, or never. */
  wakeInSeconds: number | null
  release: boolean
  started?: boolean
  ended?: boolean
  summary?: Record<string, unknown>
}

export interface Lease {
  missionId: string
  instance: string
  epoch: number
}

/**
 * Appends events under a lease, all or none, in one statement of its own. Returns them as they were recorded, or undefined
 * when the lease is no longer held. Throws the primary key's unique violation where another writer has taken the first number.
 */
export async function appendUnderLease(
  db: EngineDb,
  lease: Lease,
  afterSeq: number,
  events: readonly EventDraft[],
): Promise<MissionEvent[] | undefined> {
  const written = events.map(storable)
  const { rows } = await db.query<{ seq: number; at: Date }>({
    name: 'append_under_lease',
    text: `
      insert into taskforce.events (mission_id, seq, epoch, v, type, data, tenant_id)
      select m.id, $4 + u.n, m.epoch, ${EVENT_VERSION}, u.type, u.data, m.tenant_id
      from taskforce.missions m, unnest($5::text[], $6::jsonb[]) with ordinality u(type, data, n)
      where m.id = $1 and m.epoch = $2 and m.owner = $3
      order by u.n
      returning seq, at`,
    values: [lease.missionId, lease.epoch, lease.instance, afterSeq, ...columns(written)],
  })
  return rows.length === 0 ? undefined : numbered(written, rows)
}

/** The same together with a change of the mission's row; the row's inbox is not looked at, since an end overrules it. */
export async function appendWithTransition(
  db: EngineDb,
  lease: Lease,
  afterSeq: number,
  events: readonly EventDraft[],
  change: Transition,
): Promise<MissionEvent[] | undefined> {
  const written = events.map(storable)
  const { rows } = await db.query<{ seq: number; at: Date }>({
    name: 'append_with_transition',
    text: `
      with changed as (
        update taskforce.missions
        set status = $7,
            wake_at = now() + make_interval(secs => $8::float8),
            owner = case when $9 then null else owner end,
            started_at = case when $10 then coalesce(started_at, now()) else started_at end,
            ended_at = case when $11 then now() else ended_at end,
            summary = coalesce($12::jsonb, summary)
        where id = $1 and epoch = $2 and owner = $3
        returning id, epoch, tenant_id
      )
      insert into taskforce.events (mission_id, seq, epoch, v, type, data, tenant_id)
      select c.id, $4 + u.n, c.epoch, ${EVENT_VERSION}, u.type, u.data, c.tenant_id
      from changed c, unnest($5::text[], $6::jsonb[]) with ordinality u(type, data, n)
      order by u.n
      returning seq, at`,
    values: [lease.missionId, lease.epoch, lease.instance, afterSeq, ...columns(written), ...transitionValues(change)],
  })
  return rows.length === 0 ? undefined : numbered(written, rows)
}

/** Appends what comes from outside the lease (created, answered, cancelled). Throws the unique violation like the above. */
export async function appendInTransaction(
  tx: TenantTx,
  missionId: string,
  afterSeq: number,
  events: readonly EventDraft[],
): Promise<MissionEvent[]> {
  const written = events.map(storable)
  const { rows } = await tx.query<{ seq: number; at: Date }>({
    text: `
      insert into taskforce.events (mission_id, seq, epoch, v, type, data, tenant_id)
      select m.id, $2 + u.n, m.epoch, ${EVENT_VERSION}, u.type, u.data, m.tenant_id
      from taskforce.missions m, unnest($3::text[], $4::jsonb[]) with ordinality u(type, data, n)
      where m.id = $1
      order by u.n
      returning seq, at`,
    values: [missionId, afterSeq, ...columns(written)],
  })
  return numbered(written, rows)
}

function columns(written: readonly Storable[]): [string[], string[]] {
  return [written.map(({ event }) => event.type), written.map(({ json }) => json)]
}

function numbered(written: readonly Storable[], rows: readonly { seq: number; at: Date }[]): MissionEvent[] {
  return rows.map((row, i) => ({ ...(written[i] as Storable).event, seq: row.seq, at: row.at.getTime() }))
}

export function transitionValues(change: Transition): unknown[] {
  const { status, wakeInSeconds, release, started = false, ended = false, summary } = change
  return [status, wakeInSeconds, release, started, ended, summary === undefined ? null : storableJson(summary)]
}
