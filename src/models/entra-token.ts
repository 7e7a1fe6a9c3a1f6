import type { TokenCredential } from '@azure/identity'
import { readTokenFailure } from '../config/entra-credential.ts'
import { RetryableError, TerminalError } from '../domain/errors.ts'
import { untilAborted } from './deadlines.ts'
import { loadOnce } from './load-once.ts'

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
  const provider = loadOnce(() => loadProvider(credential))
  return async () => {
    try {
      const token = await provider()
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

function tokenFailure(error: unknown): RetryableError | TerminalError {
  const { mayPass, reason } = readTokenFailure(error)
  const what = `Entra ID gave this app no token for Azure OpenAI${reason ? ` (${reason})` : ''}.`
  if (mayPass) {
    const text = `${what} If this lasts, check that the app has a managed identity, or set AZURE_OPENAI_API_KEY.`
    return new RetryableError('model_unavailable', text)
  }
  return new TerminalError('model_auth', what, {
    hint: 'Give the app a managed identity (AZURE_CLIENT_ID names a user-assigned one) with the role Cognitive Services OpenAI User; on your own machine run "az login"; or set AZURE_OPENAI_API_KEY.',
  })
}
