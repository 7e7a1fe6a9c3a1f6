import type { EventDraft } from '../../domain/event.ts'
import { EVENT_VERSION } from '../../domain/event.ts'
import type { EngineDb, TenantTx } from '../connection.ts'

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

export interface Recorded {
  seq: number
  at: number
}

/**
 * Appends events under a lease, all or none, in one statement of its own. Returns undefined when the lease is no longer
 * held. Throws the primary key's unique violation where another writer has taken the first number.
 */
export async function appendUnderLease(
  db: EngineDb,
  lease: Lease,
  afterSeq: number,
  events: readonly EventDraft[],
): Promise<Recorded[] | undefined> {
  const { rows } = await db.query<{ seq: number; at: Date }>({
    name: 'append_under_lease',
    text: `
      insert into taskforce.events (mission_id, seq, epoch, v, type, data, tenant_id)
      select m.id, $4 + u.n, m.epoch, ${EVENT_VERSION}, u.type, u.data, m.tenant_id
      from taskforce.missions m, unnest($5::text[], $6::jsonb[]) with ordinality u(type, data, n)
      where m.id = $1 and m.epoch = $2 and m.owner = $3
      order by u.n
      returning seq, at`,
    values: [lease.missionId, lease.epoch, lease.instance, afterSeq, ...columns(events)],
  })
  return rows.length === 0 ? undefined : rows.map(toRecorded)
}

/** The same together with a change of the mission's row; the row's inbox is not looked at, since an end overrules it. */
export async function appendWithTransition(
  db: EngineDb,
  lease: Lease,
  afterSeq: number,
  events: readonly EventDraft[],
  change: Transition,
): Promise<Recorded[] | undefined> {
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
    values: [lease.missionId, lease.epoch, lease.instance, afterSeq, ...columns(events), ...transitionValues(change)],
  })
  return rows.length === 0 ? undefined : rows.map(toRecorded)
}

/** Appends what comes from outside the lease (created, answered, cancelled). Throws the unique violation like the above. */
export async function appendInTransaction(
  tx: TenantTx,
  missionId: string,
  afterSeq: number,
  events: readonly EventDraft[],
): Promise<Recorded[]> {
  const { rows } = await tx.query<{ seq: number; at: Date }>({
    text: `
      insert into taskforce.events (mission_id, seq, epoch, v, type, data, tenant_id)
      select m.id, $2 + u.n, m.epoch, ${EVENT_VERSION}, u.type, u.data, m.tenant_id
      from taskforce.missions m, unnest($3::text[], $4::jsonb[]) with ordinality u(type, data, n)
      where m.id = $1
      order by u.n
      returning seq, at`,
    values: [missionId, afterSeq, ...columns(events)],
  })
  return rows.map(toRecorded)
}

function columns(events: readonly EventDraft[]): [string[], string[]] {
  return [events.map(({ type }) => type), events.map(({ data }) => toJsonb(data))]
}

/** An escape of U+0000 or of half a surrogate pair, after an even number of backslashes. */
const UNSTORABLE = /(?<!\\)((?:\\\\)*)\\u(?:0000|d[89a-f][0-9a-f]{2})/gi

/** jsonb refuses U+0000 and lone surrogates, which models do write: one would fail the whole append, so each becomes U+FFFD. */
function toJsonb(data: unknown): string {
  const json = JSON.stringify(data)
  return json.includes('\\u') ? json.replace(UNSTORABLE, '$1\\ufffd') : json
}

export function transitionValues(change: Transition): unknown[] {
  const { status, wakeInSeconds, release, started = false, ended = false, summary } = change
  return [status, wakeInSeconds, release, started, ended, summary === undefined ? null : JSON.stringify(summary)]
}

function toRecorded(row: { seq: number; at: Date }): Recorded {
  return { seq: row.seq, at: row.at.getTime() }
}
