import type { Client } from 'pg'
import { readGeneration } from '../../db/queries/generation.ts'

/**
 * How much epochs grow with each generation: more than the claims of one mission that can have been made since a backup. At
 * a claim a second it is eleven days, and a mission in a circle is given up after five.
 */
const EPOCHS = 1_000_000

export interface Generation {
  /** How often the database was restored. */
  number: number
  /** What it was restored from. */
  from: string
}

/**
 * Makes void whatever was going on when the database was at this state before: no instance lives, nobody owns a mission, and
 * the epochs are above all that were given out since, so that nobody of before can write. Whatever could move then may move now.
 * Part of a restore's transaction, and the same on every revision of the schema. A second time for the same run, it does nothing.
 * @param run names the restore
 * @param atLeast generations that there have been elsewhere, such as in the schema that is replaced
 */
export async function newGeneration(
  client: Pick<Client, 'query'>,
  { from, run, atLeast = 0 }: { from: string; run: string; atLeast?: number },
): Promise<Generation> {
  const before = await readGeneration(client)
  const same = await client.query(`select from taskforce.facts where name = 'generation' and value->>'run' = $1`, [run])
  if (same.rowCount === 1) return { number: before, from }
  const number = Math.max(before, atLeast) + 1
  await client.query(
    `insert into taskforce.facts (name, at, value)
     values ('generation', clock_timestamp(), jsonb_build_object('number', $1::int, 'at', clock_timestamp(), 'from', $2::text, 'run', $3::text))
     on conflict (name) do update set at = excluded.at, value = excluded.value`,
    [number, from, run],
  )
  await client.query('delete from taskforce.instances')
  await client.query(
    `update taskforce.missions
     set epoch = epoch + $1, owner = null,
         wake_at = case when ended_at is null and (owner is not null or status in ('queued', 'running'))
           then least(wake_at, clock_timestamp()) else wake_at end`,
    [EPOCHS * (number - before)],
  )
  return { number, from }
}
