import type { EngineDb, TenantTx } from '../connection.ts'

export async function readProfile(db: EngineDb | TenantTx, tenantId: string, hash: string): Promise<unknown> {
  const { rows } = await db.query<{ body: unknown }>(
    'select body from taskforce.profiles where tenant_id = $1 and hash = $2',
    [tenantId, hash],
  )
  return rows[0]?.body
}
