import { DatabaseError, escapeIdentifier, type Client } from 'pg'
import { normaliseUrl } from './connection.ts'
import { withClient, type ConnectOptions } from './migrate/connect.ts'
import { appLimits, createSchemaRoles, grantToApp, missingRoles } from './roles.ts'

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
 * Entra administrator of an Azure Database for PostgreSQL; throws what `pg` throws where it is none.
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
    await createSchemaRoles(client)
    const prepared: PreparedLogin[] = []
    for (const login of logins) prepared.push(await prepareLogin(client, login, database))
    return prepared
  }
  return withClient(admin.href, prepare, connect)
}

async function prepareLogin(
  client: Client,
  { name, principalId }: EntraLogin,
  database: string,
): Promise<PreparedLogin> {
  const created = (await missingRoles(client, [name])).length > 0
  if (created) {
    await client.query(`select * from pgaadauth_create_principal_with_oid($1, $2, 'service', false, false)`, [
      name,
      principalId,
    ])
  }
  await grantToApp(client, name)
  const refused: string[] = []
  // For drills, and for a pooler: from 16 on, only who made a role may change it, and here Azure made it.
  for (const statement of [`alter role ${escapeIdentifier(name)} createdb`, ...appLimits(name, database)]) {
    await client.query(statement).catch((error: unknown) => {
      if (!(error instanceof DatabaseError && error.code === '42501')) throw error
      refused.push(statement)
    })
  }
  return { name, created, refused }
}
