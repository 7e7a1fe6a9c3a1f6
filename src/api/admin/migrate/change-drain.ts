import type { Client } from 'pg'
import { withClient } from '../../../db/migrate/connect.ts'
import { hasDrains, readDrain } from '../../../db/queries/drain.ts'
import type { Database } from './request.ts'

/** A drain that somebody else set stays theirs; a database from before there were drains has nobody to stop. */
export async function changeDrain(
  { databaseUrl, connect }: Database,
  mine: string,
  change: (client: Client) => Promise<void>,
): Promise<object> {
  const work = async (client: Client) => {
    if (!(await hasDrains(client))) return {}
    const drain = await readDrain(client)
    if (drain === undefined || drain.by === mine) await change(client)
    return {}
  }
  return withClient(databaseUrl, work, connect)
}
