import { prepareEntraLogins, type PreparedLogin } from '../../../db/entra-logins.ts'
import { migrateUp, type UpOptions } from '../../../db/migrate/up.ts'
import type { Database, Logins } from './request.ts'

/** The logins first: what the schema grants, it grants to roles that have to be there. */
export async function bringUp(
  { databaseUrl, connect }: Database,
  logins: Logins,
  options: UpOptions,
): Promise<{ done: string[]; logins: PreparedLogin[] }> {
  const prepared = logins.length === 0 ? [] : await prepareEntraLogins(databaseUrl, connect, logins)
  const { done } = await migrateUp(databaseUrl, { ...options, connect })
  return { done, logins: prepared }
}
