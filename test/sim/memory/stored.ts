import { checkViolation, foreignKeyViolation, policyViolation } from './errors.ts'
import type { Handler } from './run.ts'

// Mirrors src/db/queries/contents.ts, profiles.ts and idempotency-keys.ts.

const MOST_BYTES = 16 * 1024 * 1024

const storeContent: Handler = (run) => {
  const [tenantId, sha256, bytes] = run.values as [string, string, Buffer]
  const { contents, tenants } = run.tables
  if (!run.sees(tenantId)) throw policyViolation('contents')
  if (!/^[0-9a-f]{64}$/.test(sha256)) throw checkViolation('contents_sha256_check')
  if (bytes.length > MOST_BYTES) throw checkViolation('contents_bytes_check')
  const key = `${tenantId}/${sha256}`
  if (contents.get(run.tx, key) !== undefined) return 0
  if (tenants.get(run.tx, tenantId) === undefined) throw foreignKeyViolation('contents_tenant_id_fkey')
  run.put(contents, key, { tenantId, sha256, bytes: Buffer.from(bytes) })
  return 1
}

const readContent: Handler = (run) => {
  const [tenantId, sha256] = run.values as [string, string]
  const row = run.sees(tenantId) ? run.tables.contents.get(run.tx, `${tenantId}/${sha256}`) : undefined
  return row === undefined ? [] : [{ bytes: Buffer.from(row.bytes) }]
}

const readProfile: Handler = (run) => {
  const [tenantId, hash] = run.values as [string, string]
  const row = run.sees(tenantId) ? run.tables.profiles.get(run.tx, `${tenantId}/${hash}`) : undefined
  return row === undefined ? [] : [{ body: JSON.parse(row.body) as unknown }]
}

const claimKey: Handler = (run) => {
  const [tenantId, key, fingerprint, missionId] = run.values as [string, string, string, string]
  const { keys, tenants } = run.tables
  if (!run.sees(tenantId)) throw policyViolation('idempotency_keys')
  const name = `${tenantId}/${key}`
  if (keys.get(run.tx, name) !== undefined) return 0
  if (tenants.get(run.tx, tenantId) === undefined) throw foreignKeyViolation('idempotency_keys_tenant_id_fkey')
  run.put(keys, name, { tenantId, key, fingerprint, missionId })
  return 1
}

const readKey: Handler = (run) => {
  const [tenantId, key] = run.values as [string, string]
  const row = run.sees(tenantId) ? run.tables.keys.get(run.tx, `${tenantId}/${key}`) : undefined
  return row === undefined ? [] : [{ missionId: row.missionId, fingerprint: row.fingerprint }]
}

export const stored: Record<string, Handler> = {
  store_content: storeContent,
  read_content: readContent,
  read_profile: readProfile,
  claim_key: claimKey,
  read_key: readKey,
}
