import type { JournalRow } from '../../domain/parse-event.ts'
import type { EngineDb, TenantTx } from '../connection.ts'

const COLUMNS = `seq, v, type, data, extract(epoch from at) * 1000 as at`

/** Events of one mission after a number, in order. `limit` bounds a page; without it, the whole tail. */
export async function readEvents(
  db: EngineDb | TenantTx,
  missionId: string,
  afterSeq: number,
  limit?: number,
): Promise<JournalRow[]> {
  const { rows } = await db.query<Omit<JournalRow, 'at'> & { at: string }>(
    `select ${COLUMNS} from taskforce.events where mission_id = $1 and seq > $2 order by seq limit $3`,
    [missionId, afterSeq, limit ?? null],
  )
  return rows.map((row) => ({ ...row, at: Math.trunc(Number(row.at)) }))
}

export interface WatchedRow extends JournalRow {
  missionId: string
}

/** New events of many missions in one statement: each from its own number on, at most `limitEach` of each. */
export async function readWatched(
  db: EngineDb,
  watched: readonly { missionId: string; afterSeq: number }[],
  limitEach: number,
): Promise<WatchedRow[]> {
  const { rows } = await db.query<Omit<WatchedRow, 'at'> & { at: string }>(
    `select w.id as "missionId", e.seq, e.v, e.type, e.data, extract(epoch from e.at) * 1000 as at
     from unnest($1::uuid[], $2::int[]) w(id, after_seq)
     cross join lateral (
       select * from taskforce.events e
       where e.mission_id = w.id and e.seq > w.after_seq order by e.seq limit $3
     ) e
     order by w.id, e.seq`,
    [watched.map(({ missionId }) => missionId), watched.map(({ afterSeq }) => afterSeq), limitEach],
  )
  return rows.map((row) => ({ ...row, at: Math.trunc(Number(row.at)) }))
}
