import type { EngineDb } from '../connection.ts'

export interface Standing {
  status: string
  /** Claims in a row that ended in a crash without a step. */
  crashes: number
  ended: boolean
  /** An instance that lives owns it, and goes on with it or gives it up. */
  owned: boolean
}

/** How a mission of any tenant stands; undefined where there is none of that id. */
export async function readStanding(db: EngineDb, missionId: string): Promise<Standing | undefined> {
  const { rows } = await db.query<Standing>({
    name: 'read_standing',
    text: `
      select m.status, m.crashes, m.ended_at is not null as ended,
        exists (select from taskforce.instances i where i.id = m.owner and i.alive_until > now()) as owned
      from taskforce.missions m where m.id = $1`,
    values: [missionId],
  })
  return rows[0]
}
