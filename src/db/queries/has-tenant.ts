import type { ClientBase, Pool } from 'pg'

/** Also one whose removal has begun. `db` is the engine's or the owner's. */
export async function hasTenant(db: Pick<ClientBase | Pool, 'query'>, tenantId: string): Promise<boolean> {
  const { rowCount } = await db.query({
    name: 'has_tenant',
    text: 'select from taskforce.tenants where id = $1',
    values: [tenantId],
  })
  return rowCount === 1
}
