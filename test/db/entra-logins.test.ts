import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { migrate } from '../../src/api/admin/migrate.ts'
import { checkMissions } from '../../src/api/admin/migrate/check-missions.ts'
import { asReader } from '../../src/db/as-reader.ts'
import { prepareEntraLogins } from '../../src/db/entra-logins.ts'
import type { TerminalError } from '../../src/domain/errors.ts'
import { migrateUp } from '../../src/db/migrate/up.ts'
import { CODE_REVISION } from '../../src/db/schema-revision.ts'
import { type LocalPostgres, startPostgres } from '../../src/local/postgres/start-postgres.ts'
import { urlFor, withSuper } from '../support/global-setup.ts'
import { APP_MEMBERSHIPS, membershipsOf } from '../support/memberships.ts'
import { withConnection } from '../support/postgres.ts'

const ADMIN = { name: 'id-taskforce-migrator', password: 'a token' }
const API = { name: 'id-taskforce-api', principalId: '6c4dbf3c-1f5b-4d3f-9f61-3c1b6d6f6a01' }

/** Azure's own, as far as it is documented: only in the database `postgres`, and the role is Azure's, not the administrator's. */
const STAND_IN = `
create table principals (name text, oid text, kind text, admin boolean, mfa boolean);
create function pgaadauth_create_principal_with_oid(role_name text, object_id text, object_type text, is_admin boolean, is_mfa boolean)
returns text language plpgsql security definer as $$
begin
  execute format('create role %I login password %L', role_name, 'a token');
  insert into principals values (role_name, object_id, object_type, is_admin, is_mfa);
  return 'Created role for ' || role_name;
end $$;
create function pgaadauth_list_principals(administrators boolean)
returns table (rolname text, principaltype text, objectid text, tenantid text, ismfa boolean, isadmin boolean)
language sql security definer as $$ select name, kind, oid, 'tenant', mfa, admin from principals where admin = administrators $$`

/** Of a tenant with its id, with a profile that no build can read. */
function missionOf(id: string): string {
  return `
insert into taskforce.tenants (id, name) values ('${id}', '${id}');
insert into taskforce.profiles (tenant_id, hash, name, body) values ('${id}', 'h', 'dev', '{}');
insert into taskforce.missions (id, tenant_id, status, goal, profile, profile_hash)
  values ('${id}', '${id}', 'queued', 'Say hello', 'dev', 'h')`
}

let folder = ''
let server: LocalPostgres
let adminUrl = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'taskforce-entra-'))
  server = await startPostgres({ dataDir: join(folder, 'postgres'), durable: false })
  await withSuper(server.superUrl, async (client) => {
    await client.query(`create role "${ADMIN.name}" login createrole createdb password '${ADMIN.password}'`)
    await client.query(`create database app owner "${ADMIN.name}"`)
  })
  await withSuper(new URL('/postgres', server.superUrl).href, (client) => client.query(STAND_IN))
  adminUrl = urlFor(server.superUrl, ADMIN, 'app')
})
afterAll(async () => {
  await server.stop()
  await rm(folder, { recursive: true, force: true })
})

test('an identity becomes a login that the app can run with, twice with the same result', async () => {
  const [first] = await prepareEntraLogins(adminUrl, {}, [API])
  expect(first).toMatchObject({ name: API.name, created: true })
  await migrateUp(adminUrl)
  expect(await prepareEntraLogins(adminUrl, {}, [API])).toEqual([{ ...first, created: false }])
  const made = await withSuper(new URL('/postgres', server.superUrl).href, (client) =>
    client.query('select * from principals'),
  )
  expect(made.rows).toEqual([{ name: API.name, oid: API.principalId, kind: 'service', admin: false, mfa: false }])
  await withConnection(urlFor(server.superUrl, { ...API, password: 'a token' }, 'app'), async (client) => {
    expect(await membershipsOf(client)).toEqual(APP_MEMBERSHIPS)
    await client.query('select count(*) from taskforce.missions')
  })
})

test('the login that migrates reads the missions of every tenant, and writes nothing while it does', async () => {
  const tenants = [randomUUID(), randomUUID()]
  for (const tenant of tenants)
    await withSuper(new URL('/app', server.superUrl).href, (client) => client.query(missionOf(tenant)))
  const { rows } = await withConnection(adminUrl, (client) =>
    client.query('select rolsuper, rolbypassrls from pg_roles where rolname = current_user'),
  )
  expect(rows).toEqual([{ rolsuper: false, rolbypassrls: false }])
  const { check } = await checkMissions({ databaseUrl: adminUrl, connect: {} }, undefined)
  expect(check.checked).toBe(2)
  expect(check.unreadable.map(({ id }) => id)).toEqual(tenants.sort())
  const write = asReader(adminUrl, {}, (session) => session.query('delete from taskforce.missions'))
  await expect(write).rejects.toThrow('cannot execute DELETE in a read-only transaction')
})

test('a login that may not read missions hears what would let it', async () => {
  const name = 'somebody else'
  await withSuper(server.superUrl, (client) => client.query(`create role "${name}" login password 'a token'`))
  const url = urlFor(server.superUrl, { name, password: 'a token' }, 'app')
  await expect(asReader(url, {}, (session) => session.query('select'))).rejects.toMatchObject({
    code: 'migrate_not_allowed',
    message: expect.stringContaining(`grant "taskforce_owner" to "${name}" with inherit true, set true;`),
  })
})

test('names the statements that only the maker of a role may run, and goes on without them', async () => {
  const [login] = await prepareEntraLogins(adminUrl, {}, [API])
  expect(login?.refused).toContain(`alter role "${API.name}" createdb`)
})

const asAdministrator = (sql: string) =>
  withSuper(new URL('/postgres', server.superUrl).href, (client) => client.query(sql))

/** The SQL of an error for an administrator. */
async function sqlOf(refused: Promise<unknown>, code: string): Promise<string> {
  const error = await refused.catch((failure: unknown) => failure)
  expect(error).toMatchObject({ code })
  const { message, hint = '' } = error as TerminalError
  return /then try again[^:]*: (.*)$/.exec(`${message}${hint}`)?.[1] ?? ''
}

test('on a server with roles that another administrator made, it names the SQL that is needed, and this is enough', async () => {
  const other = { name: 'id of a restored app', principalId: '6c4dbf3c-1f5b-4d3f-9f61-3c1b6d6f6a02' }
  const migrator = { name: 'the new migrator', password: 'a token' }
  await asAdministrator(`create role "${migrator.name}" login createrole createdb password '${migrator.password}'`)
  await asAdministrator(`alter database app owner to "${migrator.name}"`)
  const url = urlFor(server.superUrl, migrator, 'app')
  const sql = await sqlOf(prepareEntraLogins(url, {}, [other]), 'migrate_not_allowed')
  expect(sql).toContain(`grant "taskforce_engine" to "${other.name}" with inherit true, set true`)
  await asAdministrator(sql)
  expect(await prepareEntraLogins(url, {}, [other])).toMatchObject([{ name: other.name, created: false }])
  expect(await migrateUp(url)).toMatchObject({ done: [] })
})

test('on a server that Azure restored, another administrator goes on by itself, and has no right before it takes one', async () => {
  const other = { name: 'id of another region', principalId: '6c4dbf3c-1f5b-4d3f-9f61-3c1b6d6f6a04' }
  const [before, after] = [ADMIN, { name: 'migrator of another region', password: 'a token' }]
  await asAdministrator('create role azure_pg_admin nologin createrole')
  await asAdministrator(`create role "${after.name}" login createrole createdb password '${after.password}'`)
  await asAdministrator(`grant azure_pg_admin to "${before.name}", "${after.name}"`)
  await prepareEntraLogins(adminUrl, {}, [API])
  await asAdministrator(`alter database app owner to "${after.name}"`)
  const url = urlFor(server.superUrl, after, 'app')
  const rights = `select pg_has_role('taskforce_owner', 'usage') or pg_has_role('taskforce_owner', 'set') as any`
  expect((await withConnection(url, (client) => client.query(rights))).rows).toEqual([{ any: false }])
  const ask = new Request('http://migrator/migrate', { method: 'POST', body: '{"action":"status"}' })
  const answer = await migrate(ask, { databaseUrl: url, connect: {} })
  expect(answer).toMatchObject({ status: 200 })
  expect(await prepareEntraLogins(url, {}, [other])).toMatchObject([{ name: other.name, created: true }])
  expect(await migrateUp(url)).toMatchObject({ done: [] })
  // Twice changes nothing.
  expect(await prepareEntraLogins(url, {}, [other])).toMatchObject([{ name: other.name, created: false }])
})

test('POST /migrate prepares the login that the migrator is told of, and none that a request names', async () => {
  const told = { name: 'id of the app', principalId: '6c4dbf3c-1f5b-4d3f-9f61-3c1b6d6f6a06' }
  const post = (body: object, login?: typeof told) =>
    migrate(
      new Request('http://migrator/migrate', { method: 'POST', body: JSON.stringify(body) }),
      { databaseUrl: adminUrl, connect: {} },
      login,
    )
  const loginsIn = ({ body }: Awaited<ReturnType<typeof migrate>>) =>
    (JSON.parse(body as string) as { logins: unknown }).logins
  const other = { name: 'id of somebody', principalId: '6c4dbf3c-1f5b-4d3f-9f61-3c1b6d6f6a07' }
  await expect(post({ action: 'all', logins: [other] }, told)).rejects.toMatchObject({ code: 'invalid_request' })
  expect(loginsIn(await post({ action: 'all' }))).toEqual([])
  expect(loginsIn(await post({ action: 'all' }, told))).toMatchObject([{ name: told.name, created: true }])
  const expand = { action: 'expand', codeRevision: CODE_REVISION }
  expect(loginsIn(await post(expand, told))).toMatchObject([{ name: told.name, created: false }])
  const there = await asAdministrator(`select from pg_roles where rolname in ('${told.name}', '${other.name}')`)
  expect(there.rowCount).toBe(1)
})

test('a login that reads the schema is given nothing by a look', async () => {
  const reader = { name: 'administrator who reads', password: 'a token' }
  await asAdministrator(`create role "${reader.name}" login createrole password '${reader.password}'`)
  // So it may take up any of the roles.
  await asAdministrator(`grant azure_pg_admin to "${reader.name}"`)
  await asAdministrator(`grant taskforce_backup to "${reader.name}"`)
  const url = urlFor(server.superUrl, reader, 'app')
  const memberships = () => withConnection(url, membershipsOf)
  const before = await memberships()
  const look = (action: string) => {
    const request = new Request('http://migrator/migrate', { method: 'POST', body: JSON.stringify({ action }) })
    return migrate(request, { databaseUrl: url, connect: {} })
  }
  expect(await look('status')).toMatchObject({ status: 200 })
  await expect(look('check')).rejects.toThrow('grant "taskforce_owner"')
  expect(await memberships()).toEqual(before)
})

test('a login that may make no role at all gets the SQL for that, and it makes the roles and the login', async () => {
  const name = 'id-new'
  const plain = { name: 'no administrator', password: 'a token' }
  await asAdministrator(`create role "${plain.name}" login password '${plain.password}'`)
  await asAdministrator('revoke execute on function pgaadauth_create_principal_with_oid from public')
  const url = urlFor(server.superUrl, plain, 'app')
  const sql = await sqlOf(prepareEntraLogins(url, {}, [{ ...API, name }]), 'migrate_not_allowed')
  expect(sql).toMatch(/^grant "taskforce_owner" to "no administrator"[^;]*; select \* from pgaadauth_create/)
  await asAdministrator(sql)
  expect(await prepareEntraLogins(url, {}, [{ ...API, name }])).toMatchObject([{ name, created: false }])
  await asAdministrator('grant execute on function pgaadauth_create_principal_with_oid to public')
})

test('an identity that was made anew under the same name is not kept, and the SQL in the message lets it in', async () => {
  const anew = { ...API, principalId: '6c4dbf3c-1f5b-4d3f-9f61-3c1b6d6f6a03' }
  const sql = await sqlOf(prepareEntraLogins(adminUrl, {}, [anew]), 'login_of_another')
  expect(sql).toBe(`reassign owned by "${API.name}" to current_user; drop role "${API.name}";`)
  await asAdministrator(`${sql} delete from principals where name = '${API.name}'`)
  expect(await prepareEntraLogins(adminUrl, {}, [anew])).toMatchObject([{ name: API.name, created: true }])
  // As Entra ID writes them, whatever the case.
  const upper = { ...anew, principalId: anew.principalId.toUpperCase() }
  expect(await prepareEntraLogins(adminUrl, {}, [upper])).toMatchObject([{ created: false }])
})

test('who migrates is not made the app as well, and keeps its limits', async () => {
  const itself = { name: ADMIN.name, principalId: '6c4dbf3c-1f5b-4d3f-9f61-3c1b6d6f6a05' }
  await asAdministrator(
    `insert into principals values ('${itself.name}', '${itself.principalId}', 'service', false, false)`,
  )
  const standing = () =>
    withConnection(adminUrl, async (client) => ({
      memberships: await membershipsOf(client),
      limits: (await client.query(`select current_setting('idle_in_transaction_session_timeout')`)).rows,
    }))
  const before = await standing()
  const refused = prepareEntraLogins(adminUrl, {}, [itself])
  await expect(refused).rejects.toMatchObject({
    code: 'login_of_migrator',
    hint: expect.stringContaining('APP_LOGIN_NAME'),
  })
  expect(await standing()).toEqual(before)
})

test('a role of that name that is no identity is said', async () => {
  await asAdministrator('create role plain login')
  const error = prepareEntraLogins(adminUrl, {}, [{ ...API, name: 'plain' }])
  await expect(error).rejects.toThrow('The login "plain" of this server belongs to no identity')
})

test('a server that is none of Azure says that it has no such function', async () => {
  await withSuper(new URL('/postgres', server.superUrl).href, (client) =>
    client.query('alter function pgaadauth_create_principal_with_oid rename to not_there'),
  )
  const other = { ...API, name: 'id-taskforce-other' }
  await expect(prepareEntraLogins(adminUrl, {}, [other])).rejects.toThrow(
    /pgaadauth_create_principal_with_oid.*does not exist/,
  )
})
