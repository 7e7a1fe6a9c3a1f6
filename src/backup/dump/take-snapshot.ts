import { DatabaseError, type Client } from 'pg'
import { TerminalError } from '../../domain/errors.ts'
import { qualified } from '../plain/quote.ts'
import { type Inventory, readInventory } from './inventory.ts'
import { type Isolation, beginDump } from './session.ts'

/** Tables that are made or dropped between the first look and the lock; migrations do that in far less time. */
const ATTEMPTS = 5

const UNDEFINED_TABLE = '42P01'
const LOCK_NOT_AVAILABLE = '55P03'

/** Run by the login itself, before the transaction: afterwards a look would fix the snapshot before the locks are there. */
const LOCKABLE = `
select c.relname as name from pg_catalog.pg_class c join pg_catalog.pg_roles r on r.rolname = 'taskforce_backup'
where c.relnamespace = pg_catalog.to_regnamespace('taskforce') and c.relkind = 'r'
  and pg_catalog.has_schema_privilege(r.oid, c.relnamespace, 'usage') and pg_catalog.has_table_privilege(r.oid, c.oid, 'select')`

/**
 * Locks every table against changes of its definition, then takes the snapshot and answers what is in it. The other way round a
 * column could be dropped between the two, and the dump would read a table that its snapshot never had. Throws TerminalError
 * `backup_locked` where somebody changes the schema right now, and `backup_not_allowed`.
 */
export async function takeSnapshot(client: Client, isolation: Isolation, lockMs: number): Promise<Inventory> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const { rows } = await client.query<{ name: string }>(LOCKABLE)
    const names = rows.map(({ name }) => name)
    await beginDump(client, isolation, lockMs)
    if (await lockTables(client, names)) {
      const inventory = await readInventory(client)
      if (inventory.tables.every(({ name, readable }) => !readable || names.includes(name))) return inventory
    }
    await client.query('rollback')
  }
  throw locked('its tables came and went while they were being locked')
}

/** False where one of them is gone. */
async function lockTables(client: Client, names: readonly string[]): Promise<boolean> {
  if (names.length === 0) return true
  try {
    await client.query(`lock table ${names.map(qualified).join(', ')} in access share mode`)
    return true
  } catch (error) {
    const code = error instanceof DatabaseError ? error.code : undefined
    if (code === UNDEFINED_TABLE) return false
    if (code === LOCK_NOT_AVAILABLE) throw locked('somebody else holds a lock on one of its tables', error)
    throw error
  }
}

function locked(why: string, cause?: unknown): TerminalError {
  return new TerminalError('backup_locked', `The schema is being changed: ${why}. There is no backup of this moment.`, {
    hint: 'Let the migration end (or the session that pg_stat_activity and pg_locks name), then: npm run backup -- now',
    cause,
  })
}
