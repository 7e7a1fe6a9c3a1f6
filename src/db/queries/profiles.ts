import type { EngineDb, ReaderSession, TenantTx } from '../connection.ts'

export async function readProfile(
  db: EngineDb | TenantTx | ReaderSession,
  tenantId: string,
  hash: string,
): Promise<unknown> {
  const { rows } = await db.query<{ body: unknown }>({
    name: 'read_profile',
    text: 'select body from taskforce.profiles where tenant_id = $1 and hash = $2',
    values: [tenantId, hash],
  })
  return rows[0]?.body
}
