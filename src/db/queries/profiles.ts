import type { EngineDb, TenantTx } from '../connection.ts'

export async function storeProfile(
  tx: TenantTx,
  tenantId: string,
  profile: { hash: string; name: string; body: unknown },
): Promise<void> {
  await tx.query(
    'insert into taskforce.profiles (tenant_id, hash, name, body) values ($1, $2, $3, $4) on conflict do nothing',
    [tenantId, profile.hash, profile.name, JSON.stringify(profile.body)],
  )
}

export async function readProfile(db: EngineDb, tenantId: string, hash: string): Promise<unknown> {
  const { rows } = await db.query<{ body: unknown }>(
    'select body from taskforce.profiles where tenant_id = $1 and hash = $2',
    [tenantId, hash],
  )
  return rows[0]?.body
}
