import type { Result } from '../../domain/event.ts'
import type { OwnerTx, TenantTx } from '../connection.ts'
import { storableJson } from './storable.ts'

export interface MissionRow {
  id: string
  tenantId: string
  status: string
  goal: string
  profile: string
  labels: Record<string, string>
  summary: Record<string, unknown>
  createdAt: Date
  startedAt: Date | null
  endedAt: Date | null
  forkedFrom: string | null
  forkedSeq: number | null
}

export const COLUMNS = `m.id, m.tenant_id as "tenantId", m.status, m.goal, m.profile, m.labels, m.summary,
  m.created_at as "createdAt", m.started_at as "startedAt", m.ended_at as "endedAt",
  m.forked_from as "forkedFrom", m.forked_seq as "forkedSeq"`

export async function findMission(tx: TenantTx, id: string): Promise<MissionRow | undefined> {
  const { rows } = await tx.query<MissionRow>({
    name: 'find_mission',
    text: `select ${COLUMNS} from taskforce.missions m where m.id = $1`,
    values: [id],
  })
  return rows[0]
}

/**
 * The same with the row kept from being removed to the transaction's end, for what is to name it. For missions that have
 * ended: a claim would pass over one that is locked so.
 */
export async function keepMission(tx: TenantTx, id: string): Promise<MissionRow | undefined> {
  const { rows } = await tx.query<MissionRow>({
    name: 'keep_mission',
    text: `select ${COLUMNS} from taskforce.missions m where m.id = $1 for key share`,
    values: [id],
  })
  return rows[0]
}

/** The same with the row locked to the transaction's end, for changes from outside the lease. */
export async function lockMission(tx: TenantTx, id: string): Promise<MissionRow | undefined> {
  const { rows } = await tx.query<MissionRow>({
    name: 'lock_mission',
    text: `select ${COLUMNS} from taskforce.missions m where m.id = $1 for update`,
    values: [id],
  })
  return rows[0]
}

/**
 * After an event from outside: a waiting mission may move at once, and whoever holds it learns of it by the inbox. A paused
 * one stays as it is, and one that is queued keeps its place.
 */
export async function wakeMission(tx: TenantTx, id: string): Promise<void> {
  await tx.query({
    name: 'wake_mission',
    text: `
      update taskforce.missions
      set inbox = inbox + 1,
          wake_at = case when status = 'paused' then wake_at else least(wake_at, now()) end,
          status = case when status = 'waiting' then 'queued' else status end
      where id = $1`,
    values: [id],
  })
}

/** Lays a mission down until it is resumed. Whoever holds it learns of it by the inbox, and does so when its steps have ended. */
export async function pauseMission(tx: TenantTx | OwnerTx, id: string, summary: object): Promise<void> {
  await tx.query({
    name: 'pause_mission',
    text: `
      update taskforce.missions
      set inbox = inbox + 1,
          status = case when owner is null then 'paused' else status end,
          wake_at = case when owner is null then null else wake_at end,
          summary = case when owner is null then $2 else summary end
      where id = $1`,
    values: [id, storableJson(summary)],
  })
}

export async function resumeMission(tx: TenantTx, id: string): Promise<void> {
  await tx.query({
    name: 'resume_mission',
    text: `
      update taskforce.missions
      set inbox = inbox + 1, wake_at = now(), status = case when owner is null then 'queued' else status end
      where id = $1`,
    values: [id],
  })
}

/** Ends a mission from outside its lease; the next epoch keeps the owner from writing on. */
export async function endMission(tx: TenantTx, id: string, status: string, summary: object): Promise<void> {
  await tx.query({
    name: 'end_mission',
    text: `
      update taskforce.missions
      set status = $2, ended_at = now(), wake_at = null, owner = null, epoch = epoch + 1, inbox = inbox + 1, summary = $3
      where id = $1`,
    values: [id, status, storableJson(summary)],
  })
}

export interface ListFilter {
  limit: number
  status?: string
  labels?: Record<string, string>
  before?: { createdAt: string; id: string }
}

export interface ListedRow extends MissionRow {
  cursorAt: string
  /** Of the event that ended the journal. */
  result: Result | null
}

/** Newest first. Asks for one row more than the page, which tells whether there is a next one. */
export async function listMissions(tx: TenantTx, filter: ListFilter): Promise<ListedRow[]> {
  const { rows } = await tx.query<ListedRow>({
    name: 'list_missions',
    text: `
      select ${COLUMNS}, m.created_at::text as "cursorAt",
        (select e.data->'result' from taskforce.events e
         where m.ended_at is not null and e.mission_id = m.id and e.seq = (m.summary->>'lastSeq')::int) as result
      from taskforce.missions m
      where ($1::text is null or m.status = $1)
        and ($2::jsonb is null or m.labels @> $2)
        and ($3::timestamptz is null or (m.created_at, m.id) < ($3, $4::uuid))
      order by m.created_at desc, m.id desc
      limit $5`,
    values: [
      filter.status ?? null,
      filter.labels === undefined ? null : JSON.stringify(filter.labels),
      filter.before?.createdAt ?? null,
      filter.before?.id ?? null,
      filter.limit + 1,
    ],
  })
  return rows
}

export interface Progress {
  missionId: string
  lastSeq: number
  inputTokens: number
  outputTokens: number
  steps: number
  costUsd: string
}

/** How far missions are by their journals, for those whose summary is older than their last step. */
export async function readProgress(tx: TenantTx, ids: readonly string[]): Promise<Progress[]> {
  const { rows } = await tx.query<Progress>({
    name: 'read_progress',
    text: `
      select e.mission_id as "missionId", max(e.seq) as "lastSeq",
        coalesce(sum((e.data->'usage'->>'inputTokens')::bigint), 0)::float8 as "inputTokens",
        coalesce(sum((e.data->'usage'->>'outputTokens')::bigint), 0)::float8 as "outputTokens",
        (count(*) filter (where e.type in ('model.answered', 'tool.finished', 'tool.failed', 'tool.unknown',
          'plan.updated', 'question.answered', 'question.expired', 'timer.fired')
          and (e.type <> 'tool.unknown' or e.data->>'policy' is distinct from 'person')))::int as steps,
        trim_scale(coalesce(sum((e.data->'usage'->>'costUsd')::numeric), 0))::text as "costUsd"
      from taskforce.events e where e.mission_id = any($1::uuid[])
      group by e.mission_id`,
    values: [ids],
  })
  return rows
}
