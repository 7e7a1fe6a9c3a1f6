import type { EventRecord, MissionRecord } from '../../proof/history.ts'

// Rows of the tables. They are never changed: an update puts another one in their place. Times are milliseconds since 1970,
// jsonb is text in the order of keys that Postgres keeps.

export interface TenantRow {
  id: string
  weight: number
  maxRunning: number | null
  turns: number
  /** It is being removed. */
  deleted: boolean
}

export interface ProfileRow {
  tenantId: string
  hash: string
  name: string
  body: string
}

export interface InstanceRow {
  id: string
  aliveUntil: number
  startedAt: number
  version: string
  host: string
}

export interface MissionRow {
  id: string
  tenantId: string
  status: string
  goal: string
  profile: string
  profileHash: string
  labels: string
  priority: number
  epoch: number
  owner: string | null
  wakeAt: number | null
  inbox: number
  crashes: number
  claimedSeq: number
  summary: string
  createdAt: number
  startedAt: number | null
  endedAt: number | null
  forkedFrom: string | null
  forkedSeq: number | null
}

export interface EventRow {
  missionId: string
  seq: number
  epoch: number
  v: number
  type: string
  data: string
  at: number
  tenantId: string
}

export interface ContentRow {
  tenantId: string
  sha256: string
  bytes: Buffer
}

export interface KeyRow {
  tenantId: string
  key: string
  fingerprint: string
  missionId: string
}

export interface FactRow {
  name: string
  at: number
  value: string
}

export interface DeltaRow {
  missionId: string
  tenantId: string
  epoch: number
  afterSeq: number
  text: string
  at: number
}

export interface WatchedRow {
  missionId: string
  tenantId: string
  until: number
}

export function missionRecord(row: MissionRow): MissionRecord {
  const { id, tenantId, status, epoch, owner, wakeAt, inbox, crashes, profileHash } = row
  const { startedAt, endedAt, forkedFrom, forkedSeq } = row
  const summary = JSON.parse(row.summary) as MissionRecord['summary']
  return {
    id,
    tenantId,
    status,
    epoch,
    owner,
    wakeAt,
    inbox,
    crashes,
    summary,
    profileHash,
    startedAt,
    endedAt,
    forkedFrom,
    forkedSeq,
  }
}

export function eventRecord(row: EventRow): EventRecord {
  return { ...row, data: JSON.parse(row.data) as unknown }
}
