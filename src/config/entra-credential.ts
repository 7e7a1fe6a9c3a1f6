import type { TokenCredential } from '@azure/identity'
import { z } from 'zod'

const credentials = new Map<string, Promise<TokenCredential>>()

/**
 * The identity of this deployment at Entra ID, or the developer's own from `az login`. One for each client id, so that all
 * users share its cache of tokens; one that could not be made is made again. The SDK is heavy, so it loads on first use.
 * @param clientId of a user-assigned identity; absent: AZURE_CLIENT_ID, or the only identity that there is
 */
export function entraCredential(clientId?: string): Promise<TokenCredential> {
  const key = clientId ?? ''
  const known = credentials.get(key)
  if (known !== undefined) return known
  const credential = create(clientId)
  credentials.set(key, credential)
  credential.catch(() => credentials.delete(key))
  return credential
}

async function create(clientId: string | undefined): Promise<TokenCredential> {
  const { DefaultAzureCredential } = await import('@azure/identity')
  return new DefaultAzureCredential(clientId === undefined ? {} : { managedIdentityClientId: clientId })
}

export interface TokenFailure {
  /** Entra ID or the identity endpoint could not be reached, or was overloaded. Otherwise it refused, or nobody is signed in. */
  mayPass: boolean
  /** A code such as ECONNREFUSED or AADSTS7000215: the library's sentences name tenants and accounts. */
  reason: string | undefined
}

/** What errors of @azure/identity, of MSAL below it and of the network have in common. */
const failureSchema = z.object({
  name: z.string().catch(''),
  message: z.string().catch(''),
  code: z.string().catch(''),
  /** MSAL's. */
  errorCode: z.string().catch(''),
  statusCode: z.number().optional().catch(undefined),
  /** One for each kind of credential that was tried. */
  errors: z.array(z.unknown()).catch([]),
  cause: z.unknown().optional(),
})

type Failure = z.infer<typeof failureSchema>

/** Reads why a credential gave no token, from whatever it threw. */
export function readTokenFailure(error: unknown): TokenFailure {
  const failures = flatten(error, 0)
  const signedOut = failures.some(({ message }) => message.includes("Please run 'az login'"))
  return {
    mayPass: !signedOut && failures.some(isPassing),
    reason: failures.map(reasonOf).find((text) => text !== ''),
  }
}

/** The error, its causes and its parts: the library wraps four deep. */
function flatten(error: unknown, depth: number): Failure[] {
  const parsed = failureSchema.safeParse(error)
  if (!parsed.success || depth > 5) return []
  const { errors, cause } = parsed.data
  return [parsed.data, ...[...errors, cause].flatMap((inner) => flatten(inner, depth + 1))]
}

/** No answer, an overload, or an identity endpoint that is not there yet while the app starts. */
function isPassing({ name, message, code, errorCode, statusCode = 0 }: Failure): boolean {
  if (name === 'TimeoutError' || statusCode === 408 || statusCode === 429 || statusCode >= 500) return true
  if (/^(ECONN|EHOST|ENET|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EPIPE|REQUEST_SEND_ERROR)/.test(code)) return true
  return (
    /^(network_error|no_network_connectivity|endpoints_resolution_error)$/.test(errorCode) ||
    /network unreachable|IMDS endpoint, but it is not available/i.test(message)
  )
}

function reasonOf({ name, message, code, statusCode }: Failure): string {
  if (name === 'TimeoutError') return 'no answer in time'
  const entra = /\bAADSTS\d{4,7}\b/.exec(message)?.[0]
  return entra ?? (/^[A-Z_]+$/.test(code) ? code : (statusCode?.toString() ?? ''))
}
