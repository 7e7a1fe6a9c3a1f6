import type { EngineDb, TenantTx } from '../connection.ts'
import type { Statement } from '../statement.ts'

/** Stores bytes once per tenant and hash. */
export function storeContent(tenantId: string, sha256: string, bytes: Buffer): Statement<void> {
  const text = 'insert into taskforce.contents (tenant_id, sha256, bytes) values ($1, $2, $3) on conflict do nothing'
  return { query: { name: 'store_content', text, values: [tenantId, sha256, bytes] }, read: () => undefined }
}

export async function readContent(
  db: EngineDb | TenantTx,
  tenantId: string,
  sha256: string,
): Promise<Buffer | undefined> {
  const { rows } = await db.query<{ bytes: Buffer }>({
    name: 'read_content',
    text: 'select bytes from taskforce.contents where tenant_id = $1 and sha256 = $2',
    values: [tenantId, sha256],
  })
  return rows[0]?.bytes
}
