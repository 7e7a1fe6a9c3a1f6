import type { EngineDb } from '../connection.ts'
import type { Lease } from './append-events.ts'

/** Who wrote the `count` numbers after `afterSeq`: for a writer that does not know whether its own commit went through. */
export async function readBack(
  db: EngineDb,
  missionId: string,
  afterSeq: number,
  count: number,
): Promise<{ seq: number; epoch: number; type: string; at: number }[]> {
  const { rows } = await db.query<{ seq: number; epoch: number; type: string; at: Date }>({
    name: 'read_back',
    text: `
      select seq, epoch, type, at from taskforce.events
      where mission_id = $1 and seq > $2 and seq <= $2 + $3 order by seq`,
    values: [missionId, afterSeq, count],
  })
  return rows.map((row) => ({ ...row, at: row.at.getTime() }))
}

/** Whether a lease was given back: for a holder that does not know whether its own release went through. */
export async function wasReleased(db: EngineDb, { missionId, epoch }: Lease): Promise<boolean> {
  const { rowCount } = await db.query({
    name: 'was_released',
    text: 'select from taskforce.missions where id = $1 and epoch = $2 and owner is null',
    values: [missionId, epoch],
  })
  return rowCount === 1
}
