import { DatabaseError, escapeIdentifier, escapeLiteral, type ClientBase } from 'pg'

/** What the schema's grants and policies name; nobody logs in as one of these. */
export const SCHEMA_ROLES = [
  'taskforce_owner',
  'taskforce_api',
  'taskforce_engine',
  'taskforce_backup',
  'taskforce_retention',
] as const

export interface Login {
  name: string
  password: string
}

/**
 * Limits of the app's login in its database. On a direct connection the app asks for its own ones (src/db/connection.ts),
 * which win; a pooler in transaction mode refuses those, and there these hold. One login serves both the engine, for which a
 * second of waiting for a row is long, and the API, which waits for a mission's row or for somebody else's key: 5 s are for both.
 */
const APP_LIMITS = {
  lock_timeout: '5s',
  statement_timeout: '30s',
  idle_in_transaction_session_timeout: '15s',
}

/** From 16 on each membership says by itself whether it inherits; before, the member's own attribute says it for all. */
const MEMBERSHIP_OPTIONS = 160_000

/** SQLSTATEs of "somebody made it first": a role, a database, or either seen by the catalogue's own unique index. */
const MADE_BY_ANOTHER = new Set(['42710', '42P04', '23505'])

/**
 * Makes the logins of a server of one's own, as the local environment and the tests have it, and the database where it is
 * missing. Idempotent; a login that is there gets the password and, in this database, the limits. `owner` owns the database and migrates. `app` is what the
 * functions connect as: its statements run with the engine's rights, and it takes up `taskforce_api` for a transaction.
 */
export async function createLogins(
  superClient: ClientBase,
  { owner, app, database }: { owner: Login; app: Login; database: string },
): Promise<void> {
  await createSchemaRoles(superClient)
  await createLogin(superClient, owner, 'createrole createdb')
  // A restore drill restores into a database of its own, and drops it.
  await createLogin(superClient, app, 'nocreaterole createdb')
  await grantRole(superClient, { role: 'taskforce_owner', to: owner.name, inherit: true })
  // For backups and retention by hand.
  await grantRole(superClient, { role: 'taskforce_backup', to: owner.name, inherit: false })
  await grantRole(superClient, { role: 'taskforce_retention', to: owner.name, inherit: false })
  await grantToApp(superClient, app.name)
  await createDatabase(superClient, database, owner.name)
  for (const statement of appLimits(app.name, database)) await superClient.query(statement)
}

/**
 * What makes a login one that the functions may connect as. With the API's rights inherited too, both policies would apply to the
 * engine's statements, and the tenant's one is an error outside a tenant's transaction. The others are taken up by backups, to read
 * all, and by retention, to take away: what serves missions has neither right.
 */
const APP_GRANTS = [
  { role: 'taskforce_engine', inherit: true },
  { role: 'taskforce_api', inherit: false },
  { role: 'taskforce_backup', inherit: false },
  { role: 'taskforce_retention', inherit: false },
]

/** Makes a login one that the functions may connect as. Idempotent. */
export async function grantToApp(client: ClientBase, to: string): Promise<void> {
  for (const grant of APP_GRANTS) await grantRole(client, { ...grant, to })
}

/** The statements of `grantToApp` that would change something: what is granted, not every login may grant again. */
export function missingAppGrants(client: ClientBase, to: string): Promise<string[]> {
  return missingGrants(
    client,
    APP_GRANTS.map((grant) => ({ ...grant, to })),
  )
}

/** The statements that set the limits of the app's login. */
export function appLimits(name: string, database: string): string[] {
  return Object.entries(APP_LIMITS).map(
    ([setting, value]) => `alter role ${quote(name)} in database ${quote(database)} set ${setting} = '${value}'`,
  )
}

/** Makes the four roles that are missing. Throws what `pg` throws where the login may not. */
export async function createSchemaRoles(client: ClientBase): Promise<void> {
  for (const role of await missingRoles(client, SCHEMA_ROLES)) {
    await unlessMadeByAnother(client.query(`create role ${role} nologin nobypassrls`))
  }
}

/** Those of the roles that the server doesn't have. */
export async function missingRoles(client: ClientBase, roles: readonly string[]): Promise<string[]> {
  const { rows } = await client.query<{ rolname: string }>(
    `select rolname from pg_catalog.pg_roles where rolname = any($1)`,
    [roles],
  )
  return roles.filter((role) => !rows.some((row) => row.rolname === role))
}

export interface Grant {
  role: string
  to: string
  /** Whether the member has the role's rights at all times, or where it takes the role up. */
  inherit: boolean
}

/** Makes `to` a member that may `set role`, with or without the role's rights by default. */
export async function grantRole(client: ClientBase, grant: Grant): Promise<void> {
  for (const statement of await grantStatements(client, grant)) await unlessMadeByAnother(client.query(statement))
}

/**
 * The statements of `grantRole`. Postgres 15 has no such choice for one membership, so there a NOINHERIT role stands between:
 * rights don't pass through it, `set role` does.
 */
export async function grantStatements(client: ClientBase, { role, to, inherit }: Grant): Promise<string[]> {
  if (await hasMembershipOptions(client)) {
    return [`grant ${quote(role)} to ${quote(to)} with inherit ${inherit}, set true`]
  }
  if (inherit) return [`grant ${quote(role)} to ${quote(to)}`]
  const between = `${to}_as_${role}`
  const isMissing = (await missingRoles(client, [between])).length > 0
  return [
    ...(isMissing ? [`create role ${quote(between)} nologin noinherit nobypassrls`] : []),
    `grant ${quote(role)} to ${quote(between)}`,
    `grant ${quote(between)} to ${quote(to)}`,
  ]
}

/** The statements of those grants that would change something. */
export async function missingGrants(client: ClientBase, grants: readonly Grant[]): Promise<string[]> {
  const missing: string[] = []
  for (const grant of grants) {
    if (!(await isGranted(client, grant))) missing.push(...(await grantStatements(client, grant)))
  }
  return missing
}

/** Whether `grantRole` would change nothing, by both roles as they are; false where one is missing. */
async function isGranted(client: ClientBase, { role, to, inherit }: Grant): Promise<boolean> {
  if ((await missingRoles(client, [role, to])).length > 0) return false
  // Postgres 15 does not know 'set': every member may set the role there.
  const toBecome = (await hasMembershipOptions(client)) ? 'set' : 'member'
  const { rows } = await client.query<{ granted: boolean }>(
    `select pg_has_role($1::name, $2::name, $3) and pg_has_role($1::name, $2::name, 'usage') = $4 as granted`,
    [to, role, toBecome, inherit],
  )
  return rows[0]?.granted === true
}

/** Whether the server takes `grant … with inherit …, set …`. */
export async function hasMembershipOptions(client: ClientBase): Promise<boolean> {
  const { rows } = await client.query<{ version: number }>(
    `select current_setting('server_version_num')::int as version`,
  )
  return (rows[0]?.version ?? 0) >= MEMBERSHIP_OPTIONS
}

/** Lets pass that another session made the same thing at the same time; `if not exists` does not cover that. */
export async function unlessMadeByAnother(statement: Promise<unknown>): Promise<void> {
  try {
    await statement
  } catch (error) {
    if (!(error instanceof DatabaseError && MADE_BY_ANOTHER.has(error.code ?? ''))) throw error
  }
}

async function createLogin(client: ClientBase, { name, password }: Login, attribute: string): Promise<void> {
  if ((await missingRoles(client, [name])).length > 0) {
    await unlessMadeByAnother(client.query(`create role ${quote(name)}`))
  }
  const attributes = `login inherit nosuperuser nobypassrls ${attribute}`
  await client.query(`alter role ${quote(name)} ${attributes} password ${escapeLiteral(password)}`)
}

async function createDatabase(client: ClientBase, name: string, owner: string): Promise<void> {
  const { rows } = await client.query<{ owner: string }>(
    `select pg_catalog.pg_get_userbyid(datdba) as owner from pg_catalog.pg_database where datname = $1`,
    [name],
  )
  if (rows.length === 0) {
    await unlessMadeByAnother(client.query(`create database ${quote(name)} owner ${quote(owner)}`))
  } else if (rows[0]?.owner !== owner) {
    await client.query(`alter database ${quote(name)} owner to ${quote(owner)}`)
  }
}

function quote(identifier: string): string {
  return escapeIdentifier(identifier)
}
