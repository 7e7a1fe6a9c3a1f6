import type { TokenCredential } from '@azure/identity'

const credentials = new Map<string, Promise<TokenCredential>>()

/**
 * The identity of this deployment at Entra ID, or the developer's own from `az login`. One for each client id, so that all
 * users share its cache of tokens. The SDK is heavy, so it loads on first use.
 * @param clientId of a user-assigned identity; absent: AZURE_CLIENT_ID, or the only identity that there is
 */
export function entraCredential(clientId?: string): Promise<TokenCredential> {
  const known = credentials.get(clientId ?? '')
  if (known !== undefined) return known
  const credential = create(clientId)
  credentials.set(clientId ?? '', credential)
  return credential
}

async function create(clientId: string | undefined): Promise<TokenCredential> {
  const { DefaultAzureCredential } = await import('@azure/identity')
  return new DefaultAzureCredential(clientId === undefined ? {} : { managedIdentityClientId: clientId })
}
