import type { TokenCredential } from '@azure/identity'
import { z } from 'zod'
import { RetryableError, TerminalError } from '../domain/errors.ts'
import { untilAborted } from './deadlines.ts'

/** Of Azure OpenAI under its dated API versions. */
const SCOPE = 'https://cognitiveservices.azure.com/.default'

/** Longer than the library's own tries at a managed identity on Functions; most tokens come within a second. */
const PATIENCE_MS = 30_000

/**
 * Tokens for Azure OpenAI. The library keeps each until shortly before its end, so this is asked for every request.
 * RetryableError `model_unavailable` where Entra ID can't be reached, TerminalError `model_auth` where it refuses.
 */
export function entraToken(
  credential: () => Promise<TokenCredential>,
  patienceMs = PATIENCE_MS,
): () => Promise<string> {
  let provider: Promise<() => Promise<string>> | undefined
  return async () => {
    try {
      const token = await (provider ??= loadProvider(credential))
      return await untilAborted(token(), AbortSignal.timeout(patienceMs))
    } catch (error) {
      throw tokenFailure(error)
    }
  }
}

async function loadProvider(credential: () => Promise<TokenCredential>): Promise<() => Promise<string>> {
  const { getBearerTokenProvider } = await import('@azure/identity')
  return getBearerTokenProvider(await credential(), SCOPE)
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

function tokenFailure(error: unknown): RetryableError | TerminalError {
  const failures = flatten(error, 0)
  const reason = failures.map(reasonOf).find((text) => text !== '')
  const what = `Entra ID gave this app no token for Azure OpenAI${reason ? ` (${reason})` : ''}.`
  const signedOut = failures.some(({ message }) => message.includes("Please run 'az login'"))
  if (!signedOut && failures.some(mayPass)) {
    const text = `${what} If this lasts, check that the app has a managed identity, or set AZURE_OPENAI_API_KEY.`
    return new RetryableError('model_unavailable', text)
  }
  return new TerminalError('model_auth', what, {
    hint: 'Give the app a managed identity (AZURE_CLIENT_ID names a user-assigned one) with the role Cognitive Services OpenAI User; on your own machine run "az login"; or set AZURE_OPENAI_API_KEY.',
  })
}

/** The error, its causes and its parts: the library wraps four deep. */
function flatten(error: unknown, depth: number): Failure[] {
  const parsed = failureSchema.safeParse(error)
  if (!parsed.success || depth > 5) return []
  const { errors, cause } = parsed.data
  return [parsed.data, ...[...errors, cause].flatMap((inner) => flatten(inner, depth + 1))]
}

/** No answer, an overload, or an identity endpoint that is not there yet while the app starts. */
function mayPass({ name, message, code, errorCode, statusCode = 0 }: Failure): boolean {
  if (name === 'TimeoutError' || statusCode === 408 || statusCode === 429 || statusCode >= 500) return true
  if (/^(ECONN|EHOST|ENET|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EPIPE|REQUEST_SEND_ERROR)/.test(code)) return true
  return (
    /^(network_error|no_network_connectivity|endpoints_resolution_error)$/.test(errorCode) ||
    /network unreachable|IMDS endpoint, but it is not available/i.test(message)
  )
}

/** Only codes: the library's sentences name tenants and accounts. */
function reasonOf({ name, message, code, statusCode }: Failure): string {
  if (name === 'TimeoutError') return 'no answer in time'
  const entra = /\bAADSTS\d{4,7}\b/.exec(message)?.[0]
  return entra ?? (/^[A-Z_]+$/.test(code) ? code : (statusCode?.toString() ?? ''))
}
