import type { TenantTx } from '../connection.ts'

export interface KeyOwner {
  missionId: string
  fingerprint: string
}

/**
 * Ties a client's key to a mission, in the transaction that creates the mission. Returns the owner when the key was used
 * before; a transaction that holds the same key at this moment is waited for.
 */
export async function claimKey(
  tx: TenantTx,
  claim: { tenantId: string; key: string; fingerprint: string; missionId: string },
): Promise<KeyOwner | undefined> {
  const { rowCount } = await tx.query({
    name: 'claim_key',
    text: `
      insert into taskforce.idempotency_keys (tenant_id, key, fingerprint, mission_id)
      values ($1, $2, $3, $4) on conflict do nothing`,
    values: [claim.tenantId, claim.key, claim.fingerprint, claim.missionId],
  })
  if (rowCount === 1) return undefined
  const { rows } = await tx.query<KeyOwner>({
    name: 'read_key',
    text: `
      select mission_id as "missionId", fingerprint from taskforce.idempotency_keys where tenant_id = $1 and key = $2`,
    values: [claim.tenantId, claim.key],
  })
  return rows[0]
}
