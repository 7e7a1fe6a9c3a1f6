import { Client } from 'pg'
import { z } from 'zod'
import { createDatabases, type Databases } from '../../../src/db/connection.ts'
import type { EventRecord, MissionRecord } from '../../proof/history.ts'
import { EVENT_ROWS, MISSION_ROWS } from '../../proof/load-history.ts'
import { until } from '../../support/engine.ts'
import { createTestDatabase } from '../../support/postgres.ts'
import { MemoryBackend, type MemoryTenant } from '../memory/backend.ts'
import { useVirtualNow } from '../virtual-now.ts'
import { directDatabases, type DirectOptions } from './direct-pool.ts'

/** When every store begins. */
export const START = Date.parse('2026-11-23T10:00:00Z')

/** Whoever has to wait here would wait for ever: nothing else goes on meanwhile. */
const LOCK_MS = 5

/** A database with its own time, in memory or real. */
export interface Store {
  databases: Databases
  now(): number
  /** Lets time pass; it stands still otherwise. */
  pass(ms: number): Promise<void>
  addTenant(tenant: MemoryTenant): Promise<void>
  /** From now on the tenant is being removed. */
  markDeleted(tenantId: string): Promise<void>
  /** Resolves when a statement waits for a row that another transaction holds. */
  untilBlocked(): Promise<void>
  missions(): Promise<MissionRecord[]>
  /** In the order of (missionId, seq). */
  events(): Promise<EventRecord[]>
  instances(): Promise<string[]>
  /** As it was at the beginning. */
  clear(): Promise<void>
  stop(): Promise<void>
}

export interface StoreOptions {
  blocked?: DirectOptions['blocked']
}

export const stores: [name: string, create: (options?: StoreOptions) => Promise<Store>][] = [
  ['in memory', async (options) => memoryStore(options)],
  ['in Postgres', postgresStore],
]

function memoryStore({ blocked = 'waits' }: StoreOptions = {}): Store {
  const backend = new MemoryBackend()
  let now = START
  const databases = directDatabases(backend, { now: () => now, blocked })
  return {
    databases,
    now: () => now,
    pass: async (ms) => void (now += ms),
    addTenant: async (tenant) => backend.addTenant(tenant),
    markDeleted: async (tenantId) => backend.markDeleted(tenantId),
    untilBlocked: () => until(async () => databases.waiting() > 0),
    missions: async () => backend.snapshot().missions.sort(byId),
    events: async () => backend.snapshot().events,
    instances: async () => backend.snapshot().instances.map(({ id }) => id),
    clear: async () => {
      backend.clear()
      now = START
    },
    stop: () => databases.close(),
  }
}

const EMPTIED = [
  'events',
  'missions',
  'profiles',
  'instances',
  'contents',
  'idempotency_keys',
  'facts',
  'deltas',
  'watched',
]
const EMPTY = EMPTIED.map((table) => `delete from taskforce.${table}`)

const BLOCKED = `select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`

const idSchema = z.object({ id: z.string() })

async function postgresStore({ blocked = 'waits' }: StoreOptions = {}): Promise<Store> {
  const database = await createTestDatabase()
  const time = await useVirtualNow(database.ownerUrl)
  let now = START
  await time.setNow(now)
  const databases = createDatabases({ url: database.appUrl, pooler: undefined, onError: () => undefined })
  if (blocked === 'fails') {
    for (const { options } of [databases.api, databases.engine]) options.lock_timeout = LOCK_MS
  }
  const owner = new Client({ connectionString: database.ownerUrl })
  await owner.connect()
  const sql = async (text: string, values?: unknown[]): Promise<unknown[]> => (await owner.query(text, values)).rows
  // Where nothing waits for long, the lock with which it cuts off a table's empty end would be seen as somebody's.
  if (blocked === 'fails') {
    for (const table of EMPTIED) await sql(`alter table taskforce.${table} set (autovacuum_enabled = false)`)
  }
  return {
    databases,
    now: () => now,
    pass: (ms) => time.setNow((now += ms)),
    addTenant: async ({ id, weight = 1, maxRunning = null }) =>
      void (await sql(
        'insert into taskforce.tenants (id, name, weight, max_running) values ($1::uuid, $1::text, $2, $3)',
        [id, weight, maxRunning],
      )),
    markDeleted: async (tenantId) =>
      void (await sql('update taskforce.tenants set deleted_at = now() where id = $1', [tenantId])),
    untilBlocked: () => until(async () => (await databases.engine.query(BLOCKED)).rowCount !== 0),
    missions: async () => (await sql(`${MISSION_ROWS} order by id`)) as MissionRecord[],
    events: async () => (await sql(EVENT_ROWS)) as EventRecord[],
    instances: async () => (await sql('select id from taskforce.instances')).map((row) => idSchema.parse(row).id),
    clear: async () => {
      await sql(`${EMPTY.join(';')}; delete from taskforce.tenants where name <> 'default'`)
      await time.setNow((now = START))
    },
    stop: async () => {
      await databases.close()
      await time.close()
      await owner.end()
      await database.drop()
    },
  }
}

function byId(a: MissionRecord, b: MissionRecord): number {
  return a.id < b.id ? -1 : 1
}
