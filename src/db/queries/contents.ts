import type { EngineDb, TenantTx } from '../connection.ts'
import type { Statement } from '../statement.ts'

/**
 * Stores bytes once per tenant and hash. Bytes come before the event that names them, and retention takes away what no event
 * names after a day: storing what is there already makes it young again, or it could go in between. What is under an hour old is left as
 * it is, so that a file that many missions have is neither written nor locked by each of them; the refresh of an older one
 * writes one row's head (its bytes stay where they are, beyond 2 kB).
 */
export function storeContent(tenantId: string, sha256: string, bytes: Buffer): Statement<void> {
  const text = `
    insert into taskforce.contents (tenant_id, sha256, bytes)
    select $1::uuid, $2::text, $3::bytea
    where not exists (
      select from taskforce.contents c
      where c.tenant_id = $1::uuid and c.sha256 = $2::text and c.created_at > now() - interval '1 hour')
    on conflict (tenant_id, sha256) do update set created_at = now()`
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
