import { DatabaseError, escapeIdentifier, escapeLiteral, type Client } from 'pg'
import { TerminalError } from '../domain/errors.ts'
import { normaliseUrl } from './connection.ts'
import { shareWithAdministrators } from './entra-administrators.ts'
import { objectIdOf } from './entra-principals.ts'
import { withClient, type ConnectOptions } from './migrate/connect.ts'
import {
  appLimits,
  createSchemaRoles,
  missingAppGrants,
  missingGrants,
  missingRoles,
  SCHEMA_ROLES,
  unlessMadeByAnother,
} from './roles.ts'

export interface EntraLogin {
  /** Of the managed identity, and of its role. */
  name: string
  /** Its object id, which is not its client id. */
  principalId: string
}

export interface PreparedLogin {
  name: string
  created: boolean
  /** Statements that this login may not run. Missions go without them; each says to whoever reads it what is missing. */
  refused: string[]
}

/** Where Azure has the functions that make logins. */
const ADMIN_DATABASE = 'postgres'

/**
 * Lets managed identities sign in as the app, as `createLogins` does on a server of one's own. Idempotent. By a login that is an
 * Entra administrator of an Azure Database for PostgreSQL. Throws TerminalError `login_of_migrator` where one
 * is who is signed in, `migrate_not_allowed` or `login_of_another` with the SQL for an administrator, and what `pg` throws where the server is none of Azure's.
 */
export async function prepareEntraLogins(
  url: string,
  connect: ConnectOptions,
  logins: readonly EntraLogin[],
): Promise<PreparedLogin[]> {
  const admin = new URL(normaliseUrl(url))
  const database = decodeURIComponent(admin.pathname.slice(1))
  admin.pathname = `/${ADMIN_DATABASE}`
  const prepare = async (client: Client) => {
    await refuseItself(client, logins)
    await orAskAdministrator(client, logins, () => createSchemaRoles(client))
    await shareWithAdministrators(client)
    const prepared: PreparedLogin[] = []
    for (const login of logins) {
      const created = await orAskAdministrator(client, [login], () => makeLogin(client, login))
      prepared.push({ name: login.name, created, refused: await setLimits(client, login, database) })
    }
    return prepared
  }
  return withClient(admin.href, prepare, connect)
}

/** The app's limits would fall on the role that migrates, and the app would have the rights of the schema's owner. */
async function refuseItself(client: Client, logins: readonly EntraLogin[]): Promise<void> {
  const { rows } = await client.query<{ name: string }>('select session_user as name')
  const own = logins.find(({ name }) => name === rows[0]?.name)
  if (own === undefined) return
  throw new TerminalError(
    'login_of_migrator',
    `The app's login is to be ${escapeIdentifier(own.name)}, which is the login that migrates: the app's limits would fall on migrations too, and the app would own the schema. Nothing was changed.`,
    {
      hint: "Set APP_LOGIN_NAME and APP_LOGIN_PRINCIPAL_ID of the migrator to the app's own identity, then try again.",
    },
  )
}

/** Whether it was not there before. */
async function makeLogin(client: Client, login: EntraLogin): Promise<boolean> {
  const isMissing = (await missingRoles(client, [login.name])).length > 0
  if (isMissing) await client.query(createStatement(login))
  else await refuseOther(client, login)
  for (const statement of await missingAppGrants(client, login.name)) {
    await unlessMadeByAnother(client.query(statement))
  }
  return isMissing
}

function createStatement({ name, principalId }: EntraLogin): string {
  const [role, id] = [escapeLiteral(name), escapeLiteral(principalId)]
  return `select * from pgaadauth_create_principal_with_oid(${role}, ${id}, 'service', false, false)`
}

/** For drills, and for a pooler: from 16 on, only who made a role may change it, and here Azure made it. */
async function setLimits(client: Client, { name }: EntraLogin, database: string): Promise<string[]> {
  const refused: string[] = []
  for (const statement of [`alter role ${escapeIdentifier(name)} createdb`, ...appLimits(name, database)]) {
    await client.query(statement).catch((error: unknown) => {
      if (!isDenied(error)) throw error
      refused.push(statement)
    })
  }
  return refused
}

/** A login stands for an object id: an identity made anew under the same name has another, and Azure would not let it in. */
async function refuseOther(client: Client, { name, principalId }: EntraLogin): Promise<void> {
  const found = await objectIdOf(client, name)
  if (found === undefined || found === principalId.toLowerCase()) return
  const role = escapeIdentifier(name)
  const whose = found === null ? 'no identity' : `the identity with object id ${found}`
  throw new TerminalError(
    'login_of_another',
    `The login ${role} of this server belongs to ${whose}, and the app's identity of that name has object id ${principalId}: Azure would not let the app sign in.`,
    {
      hint: `Where the identity was made anew, have an Entra administrator of the server run this in database ${ADMIN_DATABASE}, then try again, which makes the login again: reassign owned by ${role} to current_user; drop role ${role};`,
    },
  )
}

/** A server that Azure restored has the roles of before, which another administrator may have made: only that one may grant them. */
async function orAskAdministrator<T>(
  client: Client,
  logins: readonly EntraLogin[],
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    throw isDenied(cause) ? await forAdministrator(client, logins, cause) : cause
  }
}

async function forAdministrator(
  client: Client,
  logins: readonly EntraLogin[],
  cause: DatabaseError,
): Promise<TerminalError> {
  const { rows } = await client.query<{ name: string }>('select session_user as name')
  const me = rows[0]?.name ?? ''
  const statements = (await missingRoles(client, SCHEMA_ROLES)).map((role) => `create role ${role} nologin nobypassrls`)
  // The next thing that it would be refused.
  statements.push(...(await missingGrants(client, [{ role: 'taskforce_owner', to: me, inherit: true }])))
  for (const login of logins) {
    if ((await missingRoles(client, [login.name])).length > 0) statements.push(createStatement(login))
    statements.push(...(await missingAppGrants(client, login.name)))
  }
  return new TerminalError(
    'migrate_not_allowed',
    `The login ${escapeIdentifier(me)} may not prepare the app's login (${cause.message}). Have an Entra administrator of the server who may, such as the one who made its roles, run this in database ${ADMIN_DATABASE} once, then try again: ${statements.join('; ')};`,
    { cause },
  )
}

function isDenied(error: unknown): error is DatabaseError {
  return error instanceof DatabaseError && error.code === '42501'
}
