import type { TokenCredential } from '@azure/identity'

/** azd asks the network where a token has expired. */
const TIMEOUT = { processTimeoutInMs: 60_000 }

/**
 * Tokens of whoever is signed in to azd, else to the Azure CLI: what these hooks do belongs to who ran azd, and not to an identity that
 * a variable of the shell or this machine happens to have.
 * @param subscription whose directory az is asked for; azd finds it in its own environment
 */
export function createSignIn(subscription: string | undefined): (scope: string) => Promise<string> {
  let credential: Promise<TokenCredential> | undefined
  return async (scope) => {
    credential ??= create(subscription)
    return (await (await credential).getToken(scope))?.token ?? ''
  }
}

/** The SDK is heavy, so it loads on first use. */
async function create(subscription: string | undefined): Promise<TokenCredential> {
  const { AzureCliCredential, AzureDeveloperCliCredential, ChainedTokenCredential } = await import('@azure/identity')
  return new ChainedTokenCredential(
    new AzureDeveloperCliCredential(TIMEOUT),
    new AzureCliCredential({ ...TIMEOUT, subscription }),
  )
}
