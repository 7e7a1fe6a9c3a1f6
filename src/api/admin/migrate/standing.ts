import type { Client } from 'pg'
import { liveLeases } from '../../../backup/restore/target.ts'
import { checkDatabase } from '../../../db/migrate/check.ts'
import { withClient } from '../../../db/migrate/connect.ts'
import { hasDrains, readDrain } from '../../../db/queries/drain.ts'
import type { Database } from './request.ts'

/** The schema and how it differs from its revision's, the drain that is on, and how many missions are held by instances that live. */
export async function standing({ databaseUrl, connect }: Database): Promise<object> {
  const schema = await checkDatabase(databaseUrl, { connect })
  const look = async (client: Client) => ({
    drain: (await hasDrains(client)) ? ((await readDrain(client)) ?? null) : null,
    held: (await liveLeases(client)).reduce((sum, { missions }) => sum + missions, 0),
  })
  return { ...schema, ...(await withClient(databaseUrl, look, connect)) }
}
