import type { JournalRow } from '../../domain/parse-event.ts'
import type { EngineDb, OwnerTx, ReaderSession, TenantTx } from '../connection.ts'

const COLUMNS = `seq, v, type, data, trunc(extract(epoch from at) * 1000)::float8 as at`

/** Events of one mission after a number, in order. `limit` bounds a page; without it, the whole tail. */
export async function readEvents(
  db: EngineDb | TenantTx | OwnerTx | ReaderSession,
  missionId: string,
  afterSeq: number,
  limit?: number,
): Promise<JournalRow[]> {
  const { rows } = await db.query<JournalRow>({
    name: 'read_events',
    text: `select ${COLUMNS} from taskforce.events where mission_id = $1 and seq > $2 order by seq limit $3`,
    values: [missionId, afterSeq, limit ?? null],
  })
  return rows
}
