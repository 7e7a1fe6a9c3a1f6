import { z } from 'zod'
import { MOST_GENERATIONS } from '../../domain/branch.ts'
import type { JournalRow } from '../../domain/parse-event.ts'
import type { EngineDb, ReaderSession } from '../connection.ts'
import { readEvents } from './read-events.ts'

export interface UnfinishedMission {
  missionId: string
  tenantId: string
  profileHash: string
  /** Of its journal as the database stores it, compressed: a measure for batches. */
  bytes: number
}

const FIRST = '00000000-0000-0000-0000-000000000000'

/** Missions of all tenants that have not ended, in the order of their ids, after one of them. */
export async function listUnfinished(
  db: EngineDb | ReaderSession,
  after: string | undefined,
  limit: number,
): Promise<UnfinishedMission[]> {
  const { rows } = await db.query<UnfinishedMission>(
    `select m.id as "missionId", m.tenant_id as "tenantId", m.profile_hash as "profileHash",
       (select coalesce(sum(pg_column_size(e.data)), 0)::float8 from taskforce.events e where e.mission_id = m.id) as bytes
     from taskforce.missions m
     where m.id > $1 and m.status not in ('completed', 'failed', 'cancelled')
     order by m.id limit $2`,
    [after ?? FIRST, limit],
  )
  return rows
}

/** Whole journals by mission, as they are at one moment. A mission without events is left out. */
export async function readJournals(
  db: EngineDb | ReaderSession,
  missions: readonly Pick<UnfinishedMission, 'missionId'>[],
): Promise<Map<string, JournalRow[]>> {
  const { rows } = await db.query<Omit<JournalRow, 'at'> & { missionId: string; at: string }>(
    `select mission_id as "missionId", seq, v, type, data, extract(epoch from at) * 1000 as at
     from taskforce.events where mission_id = any($1) order by mission_id, seq`,
    [missions.map(({ missionId }) => missionId)],
  )
  const journals = new Map<string, JournalRow[]>()
  for (const { missionId, at, ...row } of rows) {
    const journal = journals.get(missionId) ?? []
    if (journal.length === 0) journals.set(missionId, journal)
    journal.push({ ...row, at: Math.trunc(Number(at)) })
  }
  return journals
}

const forkSchema = z.object({ forkedFrom: z.object({ id: z.uuid(), seq: z.int() }) })

/**
 * The journals that one goes on from, the nearest first, each up to the event that both share. A line that is too long for
 * the engine ends early, which whoever folds it refuses too.
 */
export async function readParents(
  db: EngineDb | ReaderSession,
  journal: readonly JournalRow[],
): Promise<JournalRow[][]> {
  const parents: JournalRow[][] = []
  let from = forkOf(journal)
  while (from !== undefined && parents.length < MOST_GENERATIONS) {
    const shared = await readEvents(db, from.id, 0, from.seq)
    parents.push(shared)
    from = forkOf(shared)
  }
  return parents
}

function forkOf([first]: readonly JournalRow[]): { id: string; seq: number } | undefined {
  return forkSchema.safeParse(first?.data).data?.forkedFrom
}

/** The database's clock, milliseconds since 1970. */
export async function databaseNow(db: EngineDb | ReaderSession): Promise<number> {
  const { rows } = await db.query<{ now: string }>('select extract(epoch from now()) * 1000 as now')
  return Math.trunc(Number(rows[0]?.now))
}
