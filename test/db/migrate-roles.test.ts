import type { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { APP_MEMBERSHIPS, membershipsOf } from '../support/memberships.ts'
import { type TestDatabase, createTestDatabase, withConnection } from '../support/postgres.ts'

const A = '00000000-0000-7000-8000-00000000000a'
const B = '00000000-0000-7000-8000-00000000000b'
const TENANT_TABLES = [
  'contents',
  'deltas',
  'events',
  'idempotency_keys',
  'missions',
  'profiles',
  'retention',
  'watched',
]
const FILL = rowsOf(A) + rowsOf(B)

/** A mission has its tenant's id, so that each is easy to name. */
function rowsOf(tenant: string): string {
  return `
insert into taskforce.tenants (id, name) values ('${tenant}', '${tenant}');
insert into taskforce.retention (tenant_id, status, keep_days) values ('${tenant}', 'failed', 30);
insert into taskforce.profiles (tenant_id, hash, name, body) values ('${tenant}', 'h', 'dev', '{}');
insert into taskforce.missions (id, tenant_id, status, goal, profile, profile_hash)
  values ('${tenant}', '${tenant}', 'queued', 'Say hello', 'dev', 'h');
insert into taskforce.events (mission_id, seq, epoch, v, type, data, tenant_id)
  values ('${tenant}', 1, 0, 1, 'mission.created', '{}', '${tenant}');
insert into taskforce.contents (tenant_id, sha256, bytes) values ('${tenant}', repeat('0', 64), '');
insert into taskforce.idempotency_keys (tenant_id, key, fingerprint, mission_id)
  values ('${tenant}', 'k', 'f', '${tenant}');
insert into taskforce.deltas (mission_id, tenant_id, epoch, after_seq, text) values ('${tenant}', '${tenant}', 1, 1, 'So f');
insert into taskforce.watched (mission_id, tenant_id, until) values ('${tenant}', '${tenant}', now());`
}

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
  await withConnection(database.ownerUrl, (client) => client.query(FILL))
})
afterAll(() => database.drop())

/** One statement as the API runs it, rolled back after. */
async function asTenant(tenant: string, text: string): Promise<{ rows: object[]; rowCount: number | null }> {
  return withConnection(database.appUrl, async (client) => {
    await client.query('begin')
    await client.query(`select set_config('role', 'taskforce_api', true), set_config('app.tenant', $1, true)`, [tenant])
    return client.query<object>(text)
  })
}

function asApp<T>(work: (client: Client) => Promise<T>): Promise<T> {
  return withConnection(database.appUrl, work)
}

describe('row-level security', () => {
  test('is on and forced for every table with a tenant_id', async () => {
    const { rows } = await asApp((client) =>
      client.query<{ name: string; held: boolean }>(
        `select relname as name, relrowsecurity and relforcerowsecurity as held from pg_class
         join pg_attribute on attrelid = pg_class.oid and attname = 'tenant_id' and not attisdropped
         where relnamespace = 'taskforce'::regnamespace and relkind in ('r', 'p') order by relname`,
      ),
    )
    expect(rows).toEqual(TENANT_TABLES.map((name) => ({ name, held: true })))
  })

  test.each(TENANT_TABLES)("a tenant reads its own rows of %s and nobody else's", async (table) => {
    const { rows } = await asTenant(A, `select tenant_id from taskforce.${table}`)
    expect(rows).toEqual([{ tenant_id: A }])
  })

  test('a tenant reads its own name only', async () => {
    expect((await asTenant(B, 'select id from taskforce.tenants')).rows).toEqual([{ id: B }])
  })

  test("a tenant's update of another's mission finds no row", async () => {
    const update = `update taskforce.missions set status = 'cancelled'`
    expect((await asTenant(A, `${update} where id = '${B}'`)).rowCount).toBe(0)
    expect((await asTenant(A, update)).rowCount).toBe(1)
  })

  test('a tenant can neither write a row for another nor give its own away', async () => {
    const policy = /violates row-level security policy/
    const event = `insert into taskforce.events (mission_id, seq, epoch, v, type, data, tenant_id) values ('${B}', 2, 0, 1, 't', '{}', '${B}')`
    await expect(asTenant(A, event)).rejects.toThrow(policy)
    await expect(asTenant(A, `update taskforce.missions set tenant_id = '${B}'`)).rejects.toThrow(policy)
  })

  test('a journal can only grow: neither the API nor the engine may change or delete an event', async () => {
    const denied = { code: '42501' }
    for (const statement of [`update taskforce.events set type = 't'`, 'delete from taskforce.events']) {
      await expect(asTenant(A, statement)).rejects.toMatchObject(denied)
      await expect(asApp((client) => client.query(statement))).rejects.toMatchObject(denied)
    }
  })

  test.each(TENANT_TABLES)('without a tenant the API gets an error from %s and no rows', async (table) => {
    await asApp(async (client) => {
      const read = `begin; set local role taskforce_api; select tenant_id from taskforce.${table}`
      await expect(client.query(read)).rejects.toThrow('unrecognized configuration parameter "app.tenant"')
      // Once set in a session, the setting is an empty text after its transaction.
      await client.query(`rollback; begin; select set_config('app.tenant', '${A}', true); commit`)
      await expect(client.query(read)).rejects.toThrow('invalid input syntax for type uuid: ""')
    })
  })

  test('the app outside a transaction of the API is the engine and sees every tenant', async () => {
    for (const table of TENANT_TABLES) {
      const { rows } = await asApp((client) =>
        client.query(`select tenant_id from taskforce.${table} order by tenant_id`),
      )
      expect(rows).toEqual([{ tenant_id: A }, { tenant_id: B }])
    }
  })
})

describe('roles', () => {
  test('the app is the engine; it has the rights of the API, of backups and of retention only where it takes them up, and never the owner’s', async () => {
    await asApp(async (client) => {
      expect(await membershipsOf(client)).toEqual(APP_MEMBERSHIPS)
      await expect(client.query('set role taskforce_owner')).rejects.toMatchObject({ code: '42501' })
      await expect(client.query('delete from taskforce.missions')).rejects.toMatchObject({ code: '42501' })
      await expect(client.query('create table taskforce.mine ()')).rejects.toMatchObject({ code: '42501' })
    })
  })

  test('no login and no role of the schema is above row-level security', async () => {
    const { rows } = await asApp((client) =>
      client.query(`select rolname from pg_roles where rolname like 'taskforce%' and (rolsuper or rolbypassrls)`),
    )
    expect(rows).toEqual([])
  })

  test('the backup may read every table and do nothing else', async () => {
    const { rows } = await asApp((client) =>
      client.query<{ read: boolean; write: boolean }>(
        `select has_table_privilege('taskforce_backup', oid, 'select') as read,
           has_table_privilege('taskforce_backup', oid, 'insert, update, delete, truncate, references, trigger') as write
         from pg_class where relnamespace = 'taskforce'::regnamespace and relkind = 'r'`,
      ),
    )
    expect(rows.length).toBeGreaterThan(TENANT_TABLES.length)
    expect(new Set(rows.map((row) => JSON.stringify(row)))).toEqual(new Set(['{"read":true,"write":false}']))
  })
})
