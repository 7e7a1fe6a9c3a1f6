import { DatabaseError, type ClientBase } from 'pg'
import { TerminalError } from '../../domain/errors.ts'
import { SCHEMA_ROLES, createSchemaRoles, grantRole, hasMembershipOptions, missingRoles } from '../roles.ts'
import { withClient, type ConnectOptions } from './connect.ts'
import { inLockedTransaction, type Session } from './lock.ts'

/** Select for all: code asks at its start whether it fits the schema. */
const BOOKKEEPING = `
create table if not exists taskforce.migrations (
  revision integer primary key,
  name text not null,
  checksum text not null,
  min_code integer not null,
  applied_at timestamptz not null default clock_timestamp()
);
grant usage on schema taskforce to taskforce_api, taskforce_engine, taskforce_backup;
grant select on taskforce.migrations to taskforce_api, taskforce_engine, taskforce_backup;`

interface Login {
  name: string
  database: string
  mayBecomeOwner: boolean
}

/**
 * Makes the roles, this login's membership in the owner's, the schema and the bookkeeping table, each where it is missing.
 * Throws TerminalError `migrate_not_allowed` with the SQL for an administrator where the login may not do that.
 */
export async function bootstrap(session: Session): Promise<void> {
  const { client, url, connect } = session
  await prepareRoles(url, connect)
  await inLockedTransaction(session, async () => {
    await orAskAdministrator(client, () => ensureSchema(client))
    await client.query('set local role taskforce_owner')
    await client.query(BOOKKEEPING)
  })
}

/**
 * The part of it that belongs to the server: the roles, and this login's membership. Throws like `bootstrap`.
 *
 * On a connection of its own: a session of Postgres keeps what it read of memberships, and where another one's `grant` commits
 * while it reads (two databases of a server are prepared at once, and have no lock in common), it goes on with the old list
 * until memberships change again. Its own `grant` then changes nothing, since the membership is there, and `set role` is denied.
 */
export async function prepareRoles(url: string, connect: ConnectOptions): Promise<void> {
  const prepare = async (client: ClientBase) => {
    await orAskAdministrator(client, async () => {
      await createSchemaRoles(client)
      const login = await readLogin(client)
      if (!login.mayBecomeOwner) await joinOwner(client, login.name)
    })
    await refuseRolesAboveRowSecurity(client)
  }
  await withClient(url, prepare, connect)
}

/**
 * Makes this login a member of the owner's role where that is there and it may: a server that was restored elsewhere has the
 * memberships of before. Where it may not it says nothing, since whatever needs it then says what an administrator has to run.
 */
export async function joinOwnerIfAllowed(url: string, connect: ConnectOptions): Promise<void> {
  const join = async (client: ClientBase) => {
    if ((await missingRoles(client, ['taskforce_owner'])).length > 0) return
    const { name, mayBecomeOwner } = await readLogin(client)
    if (!mayBecomeOwner) await joinOwner(client, name)
  }
  await withClient(url, join, connect).catch((error: unknown) => {
    if (!(error instanceof DatabaseError && error.code === '42501')) throw error
  })
}

async function readLogin(client: ClientBase): Promise<Login> {
  // Postgres 15 does not know 'set': every member may set the role there.
  const toBecome = (await hasMembershipOptions(client)) ? 'set' : 'member'
  const { rows } = await client.query<Login>(
    `select current_user as name, current_database() as database,
       pg_has_role('taskforce_owner', $1) and pg_has_role('taskforce_owner', 'usage') as "mayBecomeOwner"`,
    [toBecome],
  )
  const [login] = rows
  if (!login) throw new Error('select without from gave no row')
  return login
}

async function joinOwner(client: ClientBase, name: string): Promise<void> {
  try {
    await grantRole(client, { role: 'taskforce_owner', to: name, inherit: true })
  } catch (error) {
    // Another session of this login may have done it at the same time, which ends in "tuple concurrently updated".
    if (!(await readLogin(client)).mayBecomeOwner) throw error
  }
}

async function ensureSchema(client: ClientBase): Promise<void> {
  const { rows } = await client.query<{ owner: string }>(
    `select pg_catalog.pg_get_userbyid(nspowner) as owner from pg_catalog.pg_namespace where nspname = 'taskforce'`,
  )
  if (rows.length === 0) {
    await client.query('create schema taskforce authorization taskforce_owner')
  } else if (rows[0]?.owner !== 'taskforce_owner') {
    throw new TerminalError(
      'migrate_not_allowed',
      `The schema "taskforce" of this database belongs to ${rows[0]?.owner}: if it is Taskforce's, have an administrator run "alter schema taskforce owner to taskforce_owner"; if not, use another database.`,
    )
  }
}

async function refuseRolesAboveRowSecurity(client: ClientBase): Promise<void> {
  const { rows } = await client.query<{ rolname: string }>(
    `select rolname from pg_catalog.pg_roles where rolname = any($1) and (rolsuper or rolbypassrls) order by rolname`,
    [SCHEMA_ROLES],
  )
  if (rows.length === 0) return
  const names = rows.map((row) => row.rolname)
  throw new TerminalError(
    'role_above_row_security',
    `Row-level security does not hold for ${names.join(', ')}, so tenants could see each other's data: have an administrator run "${names.map((name) => `alter role ${name} nosuperuser nobypassrls`).join('; ')}".`,
  )
}

async function orAskAdministrator(client: ClientBase, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (cause) {
    if (!(cause instanceof DatabaseError && cause.code === '42501')) throw cause
    // The transaction, where there is one, can answer nothing any more.
    await client.query('rollback')
    throw await forAdministrator(client, cause)
  }
}

async function forAdministrator(client: ClientBase, cause: DatabaseError): Promise<TerminalError> {
  const { rows } = await client.query<{ name: string; database: string; missing: string[] }>(
    `select quote_ident(current_user) as name, quote_ident(current_database()) as database,
       array(select r from unnest($1::text[]) as r where r not in (select rolname from pg_catalog.pg_roles)) as missing`,
    [SCHEMA_ROLES],
  )
  const { name = '', database = '', missing = [] } = rows[0] ?? {}
  const options = (await hasMembershipOptions(client)) ? ' with inherit true, set true' : ''
  const statements = [
    ...missing.map((role) => `create role ${role} nologin nobypassrls`),
    `grant taskforce_owner to ${name}${options}`,
    `grant create on database ${database} to ${name}`,
  ]
  return new TerminalError(
    'migrate_not_allowed',
    `The login ${name} may not prepare the database (${cause.message}). Have an administrator run this there once, then try again: ${statements.join('; ')};`,
    { cause },
  )
}
