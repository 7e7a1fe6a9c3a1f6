import pg from 'pg'
import { hasMembershipOptions } from '../../../src/db/roles.ts'
import { CODE_REVISION, readSchemaRevision, schemaFits } from '../../../src/db/schema-revision.ts'
import { fail, pass, warn, type Finding } from '../report.ts'

/** One connection that is open. */
export interface Session {
  client: pg.Client
  /** The line of the connection. */
  name: string
  /** The server is on this machine. */
  local: boolean
  /** The login is the one that migrates the local environment; the app there has another, which nobody else needs. */
  owner: boolean
}

/** SQLSTATEs: no right to something; a role that is not there. */
const NO_RIGHT = '42501'
const NO_ROLE = '22023'

/** The schema's revision against this code's. */
export async function checkSchema(session: Session): Promise<Finding> {
  try {
    const found = await readSchemaRevision(session.client)
    if (found === undefined) return fail('schema', 'there is none yet', migrateHint(session))
    const { revision, minCode } = found
    if (schemaFits(found, CODE_REVISION) === 'schema-too-old') {
      return fail('schema', `at revision ${revision}, and this code needs ${CODE_REVISION}`, migrateHint(session))
    }
    if (schemaFits(found, CODE_REVISION) === 'code-too-old') {
      const detail = `needs code of revision ${minCode} or newer, and this is ${CODE_REVISION}`
      return fail('schema', detail, 'use a newer version of the code')
    }
    if (revision === CODE_REVISION) return pass('schema', `revision ${revision}, as this code needs`)
    return pass('schema', `revision ${revision}; this code of ${CODE_REVISION} works with it`)
  } catch (error) {
    if (stateOf(error) !== NO_RIGHT) throw error
    return fail('schema', `${session.client.user ?? 'this login'} may not read it`, await grantHint(session))
  }
}

/** Whether the login can do what the app does: the engine's statements by itself, and the API's as taskforce_api. */
export async function checkRights(session: Session): Promise<Finding[]> {
  const { client, owner } = session
  if (owner) return [pass('rights', "the schema's owner; the app has a login of its own")]
  const user = client.user ?? 'this login'
  const { rows } = await client.query<Rights>(RIGHTS)
  const [rights] = rows
  if (rights?.aboveRls === true) {
    return [
      warn('rights', `${user} is above row-level security, so tenants are not kept apart`, await grantHint(session)),
    ]
  }
  const refused = await becomeApi(client)
  if (refused !== undefined) return [fail('rights', `${user} ${refused}`, await grantHint(session))]
  if (rights?.engine !== true) {
    return [fail('rights', `${user} may not write events (taskforce_engine)`, await grantHint(session))]
  }
  if (rights.inheritsApi) {
    const hint = `revoke taskforce_api from ${quoted(session)}, then ${await grantHint(session)}`
    return [fail('rights', `${user} has taskforce_api's rights all the time, which hides rows from the engine`, hint)]
  }
  return [pass('rights', 'taskforce_engine, and taskforce_api when asked for')]
}

/** Whether a login may migrate. */
export async function checkDirect({ client }: Session): Promise<Finding[]> {
  const { rows } = await client.query<{ may: boolean }>(
    `select coalesce(bool_or(pg_has_role(rolname, 'member')), (select rolcreaterole or rolsuper from pg_roles
       where rolname = current_user)) as may from pg_roles where rolname = 'taskforce_owner'`,
  )
  if (rows[0]?.may === true) return []
  const hint = `use the login that migrates, or grant taskforce_owner to it`
  return [
    warn('direct rights', `${client.user ?? 'this login'} is no member of taskforce_owner, so it can't migrate`, hint),
  ]
}

interface Rights {
  aboveRls: boolean
  inheritsApi: boolean
  engine: boolean
}

const RIGHTS = `select r.rolsuper or r.rolbypassrls as "aboveRls",
  exists (select from pg_roles where rolname = 'taskforce_api' and pg_has_role(rolname, 'usage')) as "inheritsApi",
  has_table_privilege('taskforce.events', 'insert') and has_table_privilege('taskforce.instances', 'insert') as engine
  from pg_roles r where r.rolname = current_user`

/** Takes up the role as the API does and lays it down again; answers why that can't be. */
async function becomeApi(client: pg.Client): Promise<string | undefined> {
  await client.query('begin')
  try {
    await client.query(`select set_config('role', 'taskforce_api', true)`)
    return undefined
  } catch (error) {
    const state = stateOf(error)
    if (state === NO_RIGHT) return `can't take on taskforce_api`
    if (state === NO_ROLE) return 'finds no role taskforce_api on this server'
    throw error
  } finally {
    await client.query('rollback')
  }
}

function migrateHint({ client, owner }: Session): string {
  if (owner) return 'npm run migrate -- up'
  const { host, port, database = 'taskforce' } = client
  const place = host.startsWith('/') ? `/${database}?host=${host}` : `${host}:${port}/${database}`
  return `DATABASE_DIRECT_URL=postgresql://OWNER:PASSWORD@${place} npm run migrate -- up`
}

/** What an administrator runs; before Postgres 16 a role between keeps the rights from being inherited. */
async function grantHint(session: Session): Promise<string> {
  const to = quoted(session)
  if (await hasMembershipOptions(session.client)) {
    return `let the app use a login of its own, and an administrator run: grant taskforce_engine to ${to} with inherit true, set true; grant taskforce_api to ${to} with inherit false, set true`
  }
  const between = pg.escapeIdentifier(`${session.client.user ?? 'LOGIN'}_as_taskforce_api`)
  return `let the app use a login of its own, and an administrator run: grant taskforce_engine to ${to}; create role ${between} nologin noinherit; grant taskforce_api to ${between}; grant ${between} to ${to}`
}

function quoted({ client }: Session): string {
  return pg.escapeIdentifier(client.user ?? 'LOGIN')
}

function stateOf(error: unknown): string | undefined {
  return error instanceof pg.DatabaseError ? error.code : undefined
}
