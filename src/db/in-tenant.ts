import { escapeLiteral, type Pool } from 'pg'
import type { TenantTx } from './connection.ts'

/**
 * Runs `work` in one transaction as `taskforce_api`, seeing one tenant's rows only. Both settings are the transaction's own
 * (`set_config(…, true)`), so they can't leak to the next user of a pooled connection.
 */
export async function inTenant<T>(pool: Pool, tenantId: string, work: (tx: TenantTx) => Promise<T>): Promise<T> {
  const client = await pool.connect()
  let broken: Error | undefined
  const onError = (error: Error) => (broken = error)
  // The pool listens to idle connections only, and an error that nobody listens to ends the process.
  client.on('error', onError)
  try {
    // One statement text, and so one round trip: its only value is a tenant's id, as a literal.
    await client.query(`
      begin;
      select set_config('role', 'taskforce_api', true), set_config('app.tenant', ${escapeLiteral(tenantId)}, true)`)
    const result = await work(client as unknown as TenantTx)
    await client.query('commit')
    return result
  } catch (error) {
    await client.query('rollback').catch((failure: Error) => (broken = failure))
    throw error
  } finally {
    client.off('error', onError)
    client.release(broken)
  }
}
