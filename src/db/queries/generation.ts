import type { ClientBase } from 'pg'

/** How often this database was restored: what was begun in an earlier generation has no say any more. */
export async function readGeneration(client: Pick<ClientBase, 'query'>): Promise<number> {
  const { rows } = await client.query<{ number: number }>(
    `select coalesce((value->>'number')::int, 0) as number from taskforce.facts where name = 'generation'`,
  )
  return rows[0]?.number ?? 0
}
