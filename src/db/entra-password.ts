/** Of Azure Database for PostgreSQL; asked for at every new connection, cached by the library until shortly before its end. */
const SCOPE = 'https://ossrdbms-aad.database.windows.net/.default'

let credential: Promise<{ getToken(scope: string): Promise<{ token: string } | null> }> | undefined

/** A token of the managed identity in place of a password. The SDK is heavy, so it loads on first use. */
export async function entraPassword(): Promise<string> {
  credential ??= import('@azure/identity').then(({ DefaultAzureCredential }) => new DefaultAzureCredential())
  const token = await (await credential).getToken(SCOPE)
  if (token === null)
    throw new Error('No Entra ID token for Postgres: give this app a managed identity, or sign in with "az login"')
  return token.token
}
