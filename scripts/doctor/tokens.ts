import type { AccessToken, TokenCredential } from '@azure/identity'
import { entraCredential } from '../../src/config/entra-credential.ts'

/** What a token of Entra ID is for. */
export const SCOPES = {
  database: 'https://ossrdbms-aad.database.windows.net/.default',
  storage: 'https://storage.azure.com/.default',
  model: 'https://cognitiveservices.azure.com/.default',
  search: 'https://search.azure.com/.default',
} as const

export type Scope = (typeof SCOPES)[keyof typeof SCOPES]

/** No token of Entra ID; the group "Azure identity" says what to do, others only point there. */
export class NoTokenError extends Error {
  override readonly name = 'NoTokenError'
}

/** Tokens of this machine's identity, each asked for once. */
export interface Tokens {
  /** Rejects with NoTokenError. */
  get(scope: Scope, clientId?: string): Promise<string>
  /** For the Azure SDKs. */
  credential(scope: Scope, clientId?: string): TokenCredential
  /** Those given so far: secrets like any other. */
  given(): string[]
}

type FindCredential = (clientId?: string) => Promise<TokenCredential>

/** `find` gives the credential; nothing is asked before the first token is needed. */
export function createTokens(find: FindCredential = entraCredential): Tokens {
  const asked = new Map<string, Promise<AccessToken>>()
  const given: string[] = []

  async function ask(scope: Scope, clientId: string | undefined): Promise<AccessToken> {
    // The SDK's message is a page of all that it tried; the advice of this project is one line.
    const token = await find(clientId)
      .then((credential) => credential.getToken(scope))
      .catch(() => null)
    if (token === null) throw new NoTokenError('Entra ID gives no token')
    given.push(token.token)
    return token
  }

  function once(scope: Scope, clientId: string | undefined): Promise<AccessToken> {
    const key = `${scope} ${clientId ?? ''}`
    const known = asked.get(key) ?? ask(scope, clientId)
    asked.set(key, known)
    return known
  }

  return {
    get: async (scope, clientId) => (await once(scope, clientId)).token,
    credential: (scope, clientId) => ({ getToken: () => once(scope, clientId) }),
    given: () => given,
  }
}
