import type { EngineDb, TenantTx } from '../connection.ts'

/** Stores bytes once per tenant and hash. */
export async function storeContent(
  db: EngineDb | TenantTx,
  tenantId: string,
  sha256: string,
  bytes: Buffer,
): Promise<void> {
  await db.query(
    'insert into taskforce.contents (tenant_id, sha256, bytes) values ($1, $2, $3) on conflict do nothing',
    [tenantId, sha256, bytes],
  )
}

export async function readContent(
  db: EngineDb | TenantTx,
  tenantId: string,
  sha256: string,
): Promise<Buffer | undefined> {
  const { rows } = await db.query<{ bytes: Buffer }>(
    'select bytes from taskforce.contents where tenant_id = $1 and sha256 = $2',
    [tenantId, sha256],
  )
  return rows[0]?.bytes
}
