import { prepareEntraLogins, type PreparedLogin } from '../../../db/entra-logins.ts'
import { migrateUp, type UpOptions } from '../../../db/migrate/up.ts'
import type { AppLogin, Database } from './request.ts'

/** The login first: what the schema grants, it grants to roles that have to be there. */
export async function bringUp(
  { databaseUrl, connect }: Database,
  login: AppLogin,
  options: UpOptions,
): Promise<{ done: string[]; logins: PreparedLogin[] }> {
  const logins = login === undefined ? [] : await prepareEntraLogins(databaseUrl, connect, [login])
  const { done } = await migrateUp(databaseUrl, { ...options, connect })
  return { done, logins }
}
