import type { ClientBase } from 'pg'

/** What the database's clock says: names of backups, and when a run began, are by that one alone. */
export async function databaseTime(client: Pick<ClientBase, 'query'>): Promise<Date> {
  const { rows } = await client.query<{ now: Date }>('select pg_catalog.now() as now')
  return rows[0]?.now ?? new Date(Number.NaN)
}
