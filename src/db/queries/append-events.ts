import { EVENT_VERSION, type EventDraft, type MissionEvent } from '../../domain/event.ts'
import type { EngineDb, OwnerTx, TenantTx } from '../connection.ts'
import { storable, storableJson, type Storable } from './storable.ts'

/** What changes in the mission's own row together with its events. */
export interface Transition {
  status: string
  /** Seconds from now until the mission may move again; null: when somebody acts, or never. */
  wakeInSeconds: number | null
  release: boolean
  ended?: boolean
  summary?: Record<string, unknown>
  /** The change is refused where another number of events has come from outside; absent: it overrules them. */
  inbox?: number
}

export interface Lease {
  missionId: string
  instance: string
  epoch: number
}

/** Events to go in behind a number, all or none, and the row's change that goes with them; either may be missing. */
export interface Append {
  lease: Lease
  afterSeq: number
  events: readonly Storable[]
  change?: Transition
}

/** When each event of an append was recorded, milliseconds since 1970. */
export type RecordedAt = number[]

/**
 * Records what missions of one instance have to say, in one statement of its own. Gives for each append when its events were
 * recorded, or undefined where its lease is no longer held or its change was refused; nothing of it went in then.
 * Throws the primary key's unique violation where another writer has taken one of the numbers; nothing of any went in then.
 * @param appends of different missions, all of one instance
 */
export async function appendUnderLeases(db: EngineDb, appends: readonly Append[]): Promise<(RecordedAt | undefined)[]> {
  const [first] = appends
  if (first !== undefined && appends.length === 1 && first.change === undefined && first.events.length === 1) {
    return [await appendOne(db, first)]
  }
  return appendMany(db, appends)
}

/** The plain form, a prepared insert that joins the lease: what a step costs where one mission runs alone. */
async function appendOne(db: EngineDb, { lease, afterSeq, events }: Append): Promise<RecordedAt | undefined> {
  const [written] = events
  const { rows } = await db.query<[Date]>({
    name: 'append_one',
    rowMode: 'array',
    text: `
      insert into taskforce.events (mission_id, seq, epoch, v, type, data, tenant_id)
      select m.id, $4, m.epoch, ${EVENT_VERSION}, $5, $6, m.tenant_id
      from taskforce.missions m
      where m.id = $1 and m.epoch = $2 and m.owner = $3
      returning at`,
    values: [lease.missionId, lease.epoch, lease.instance, afterSeq + 1, written?.event.type, written?.json],
  })
  return rows.length === 0 ? undefined : rows.map(([at]) => at.getTime())
}

async function appendMany(db: EngineDb, appends: readonly Append[]): Promise<(RecordedAt | undefined)[]> {
  const changing = appends.some(({ change }) => change !== undefined)
  const values = [appends[0]?.lease.instance, ...rowColumns(appends)]
  const { rows } = await db.query<[id: string, seq: number, at: Date | null]>({
    rowMode: 'array',
    ...(changing
      ? { name: 'append_with_changes', text: WITH_CHANGES, values: [...values, ...changeColumns(appends)] }
      : { name: 'append_many', text: MANY, values }),
  })
  const byMission = new Map<string, { append: Append; times: RecordedAt | undefined }>(
    appends.map((append) => [append.lease.missionId, { append, times: undefined }]),
  )
  for (const [id, seq, at] of rows) {
    const found = byMission.get(id)
    if (found === undefined) continue
    found.times ??= []
    if (at !== null) found.times[seq - found.append.afterSeq - 1] = at.getTime()
  }
  return [...byMission.values()].map(({ times }) => times)
}

const ROWS = `unnest($2::uuid[], $3::int[], $4::int[], $5::text[], $6::jsonb[])`

/** In the order of their numbers, since each row takes its time as it goes in: a join gives them in any order. */
const MANY = `
  insert into taskforce.events (mission_id, seq, epoch, v, type, data, tenant_id)
  select m.id, u.seq, m.epoch, ${EVENT_VERSION}, u.type, u.data, m.tenant_id
  from ${ROWS} u(id, seq, epoch, type, data)
  join taskforce.missions m on m.id = u.id and m.epoch = u.epoch and m.owner = $1
  order by u.seq
  returning mission_id, seq, at`

/** Events of missions whose row changes too go in only where the row did change; the others go by their lease alone. */
const WITH_CHANGES = `
  with changed as (
    update taskforce.missions m
    set status = c.status,
        wake_at = now() + make_interval(secs => c.wake),
        owner = case when c.release then null else m.owner end,
        ended_at = case when c.ended then now() else m.ended_at end,
        summary = coalesce(c.summary, m.summary)
    from unnest($7::uuid[], $8::int[], $9::text[], $10::float8[], $11::bool[], $12::bool[], $13::jsonb[], $14::int[])
      c(id, epoch, status, wake, release, ended, summary, inbox)
    where m.id = c.id and m.epoch = c.epoch and m.owner = $1 and (c.inbox is null or m.inbox = c.inbox)
    returning m.id
  ), recorded as (
    insert into taskforce.events (mission_id, seq, epoch, v, type, data, tenant_id)
    select m.id, u.seq, m.epoch, ${EVENT_VERSION}, u.type, u.data, m.tenant_id
    from ${ROWS} u(id, seq, epoch, type, data)
    join taskforce.missions m on m.id = u.id and m.epoch = u.epoch and m.owner = $1
    where u.id <> all ($7::uuid[]) or u.id in (select id from changed)
    order by u.seq
    returning mission_id, seq, at
  )
  select mission_id, seq, at from recorded
  union all
  select id, 0, null from changed`

function rowColumns(appends: readonly Append[]): unknown[] {
  const ids: string[] = []
  const seqs: number[] = []
  const epochs: number[] = []
  const types: string[] = []
  const data: string[] = []
  for (const { lease, afterSeq, events } of appends) {
    events.forEach(({ event, json }, index) => {
      ids.push(lease.missionId)
      seqs.push(afterSeq + 1 + index)
      epochs.push(lease.epoch)
      types.push(event.type)
      data.push(json)
    })
  }
  return [ids, seqs, epochs, types, data]
}

function changeColumns(appends: readonly Append[]): unknown[] {
  const changes = appends.flatMap(({ lease, change }) => (change === undefined ? [] : [{ lease, change }]))
  return [
    changes.map(({ lease }) => lease.missionId),
    changes.map(({ lease }) => lease.epoch),
    changes.map(({ change }) => change.status),
    changes.map(({ change }) => change.wakeInSeconds),
    changes.map(({ change }) => change.release),
    changes.map(({ change }) => change.ended ?? false),
    changes.map(({ change }) => (change.summary === undefined ? null : storableJson(change.summary))),
    changes.map(({ change }) => change.inbox ?? null),
  ]
}

/** Appends what comes from outside the lease (created, answered, cancelled). Throws the unique violation like the above. */
export async function appendInTransaction(
  tx: TenantTx | OwnerTx,
  missionId: string,
  afterSeq: number,
  events: readonly EventDraft[],
): Promise<MissionEvent[]> {
  const written = events.map(storable)
  const { rows } = await tx.query<{ at: Date }>({
    name: 'append_in_transaction',
    text: `
      insert into taskforce.events (mission_id, seq, epoch, v, type, data, tenant_id)
      select m.id, $2 + u.n, m.epoch, ${EVENT_VERSION}, u.type, u.data, m.tenant_id
      from taskforce.missions m, unnest($3::text[], $4::jsonb[]) with ordinality u(type, data, n)
      where m.id = $1
      order by u.n
      returning at`,
    values: [missionId, afterSeq, written.map(({ event }) => event.type), written.map(({ json }) => json)],
  })
  return recordedEvents(
    written,
    afterSeq,
    rows.map(({ at }) => at.getTime()),
  )
}

/** The events as the journal has them. */
export function recordedEvents(written: readonly Storable[], afterSeq: number, times: RecordedAt): MissionEvent[] {
  return written.map(({ event }, index) => ({ ...event, seq: afterSeq + 1 + index, at: times[index] ?? 0 }))
}
