import type { ConnectOptions } from './migrate/connect.ts'
import { normaliseUrl } from './connection.ts'

/**
 * The address with the password in it, for what opens several connections of its own and knows nothing of identities. A token
 * of Entra ID is good for an hour at least. A secret, like every address of a database.
 */
export async function signedUrl(databaseUrl: string, { password }: ConnectOptions): Promise<string> {
  if (password === undefined) return databaseUrl
  const url = new URL(normaliseUrl(databaseUrl))
  url.password = encodeURIComponent(await password())
  return url.href
}
