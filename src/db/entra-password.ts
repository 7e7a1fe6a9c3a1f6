import { entraCredential } from '../config/entra-credential.ts'

/** Of Azure Database for PostgreSQL; asked for at every new connection, cached by the library until shortly before its end. */
const SCOPE = 'https://ossrdbms-aad.database.windows.net/.default'

/** A token of the managed identity in place of a password. */
export async function entraPassword(): Promise<string> {
  const token = await (await entraCredential()).getToken(SCOPE)
  if (token === null)
    throw new Error('No Entra ID token for Postgres: give this app a managed identity, or sign in with "az login"')
  return token.token
}
