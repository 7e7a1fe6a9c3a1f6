import type { ClientBase, Pool } from 'pg'
import { withClient } from './in-tenant.ts'
import { isPassing } from './pg-errors.ts'

declare const retentionTx: unique symbol

/** A transaction that may take away missions and what belongs to them, of all tenants. Made by `asRetention` alone. */
export type RetentionTx = ClientBase & { readonly [retentionTx]: true }

/**
 * Whoever waits longer than this for a row may in turn be what others wait for. Locks of the rows that retention is about are held for
 * milliseconds.
 */
const LOCK_MS = 250
const TRIES = 4
const PAUSE_MS = 200

/**
 * Runs `work` in one short transaction as `taskforce_retention`. Both settings are the transaction's own. Again, up to four
 * times, where a lock or the connection was what it failed for: `work` must do no harm when it is repeated. Throws what `pg`
 * throws, with nothing done.
 * @param pool of the app's login, which may take up the role and has none of its rights otherwise
 */
export async function asRetention<T>(pool: Pool, work: (tx: RetentionTx) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await withClient(pool, async (client) => {
        await client.query(BEGIN)
        const result = await work(client as RetentionTx)
        await client.query('commit')
        return result
      })
    } catch (error) {
      if (!isPassing(error) || attempt === TRIES) throw error
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS * attempt))
    }
  }
}

/** Each statement must see what was committed before it: removals look again under the locks that they have taken. */
const BEGIN = `
  begin isolation level read committed;
  select set_config('role', 'taskforce_retention', true), set_config('lock_timeout', '${LOCK_MS}ms', true)`
