import { escapeIdentifier, type Pool } from 'pg'
import { asRetention } from '../../db/as-retention.ts'
import { PREVIOUS, previousSchema, type PreviousSchema } from '../restore/target.ts'

/**
 * What restores moved out of the way in this database and still has a tenant, oldest first. Its row is there as long as anything
 * else of it is. One that can't be looked at, such as of a schema that did not know of retention, may have it and counts.
 * Throws what `pg` throws where not even their names can be had.
 */
export async function earlierSchemasWith(db: Pool, tenantId: string): Promise<PreviousSchema[]> {
  const { rows } = await db.query<{ name: string }>(
    'select nspname::text as name from pg_catalog.pg_namespace where starts_with(nspname, $1) order by nspname',
    [PREVIOUS],
  )
  const holding: PreviousSchema[] = []
  for (const { name } of rows) {
    const tenant = `select from ${escapeIdentifier(name)}.tenants where id = $1`
    const has = await asRetention(db, (tx) => tx.query(tenant, [tenantId])).then(
      ({ rowCount }) => rowCount !== 0,
      () => true,
    )
    if (has) holding.push(previousSchema(name))
  }
  return holding
}
