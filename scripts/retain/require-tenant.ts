import type { ClientBase, Pool } from 'pg'
import { hasTenant } from '../../src/db/queries/has-tenant.ts'
import { TerminalError } from '../../src/domain/errors.ts'

/** Throws TerminalError `tenant_not_found`. */
export async function requireTenant(db: Pick<ClientBase | Pool, 'query'>, tenantId: string): Promise<void> {
  if (await hasTenant(db, tenantId)) return
  throw new TerminalError('tenant_not_found', `Nothing was changed: there is no tenant ${tenantId}.`, {
    hint: 'It may be gone already. Tenants are in the table taskforce.tenants.',
  })
}
