import type { GetDocumentOptions, SearchClient, SearchClientOptions } from '@azure/search-documents'
import type { TokenCredential } from '@azure/identity'
import type { SearchConfig } from '../../config/config.ts'
import { entraCredential } from '../../config/entra-credential.ts'
import { keepsSecrets } from '../../config/keeps-secrets.ts'
import { readRetryAfterMs } from '../../config/retry-after.ts'
import { TerminalError } from '../../domain/errors.ts'
import type { Document } from './document.ts'
import { toSearchError, type Answer } from './failure.ts'

export interface SearchDependencies {
  config: SearchConfig
  /** A query key; without one, a token of Entra ID. Never part of an error or a result. */
  apiKey?: string
  /** Replaced by tests. */
  credential?: () => Promise<TokenCredential>
  /** For one request; 20 s when absent. */
  timeoutMs?: number
}

type CallOptions = Pick<GetDocumentOptions<Document>, 'abortSignal' | 'onResponse'>

export interface SearchIndex {
  config: SearchConfig
  /**
   * Makes one request. Throws what toSearchError says, `search_misconfigured` for an endpoint without TLS that is not on
   * this machine, and the signal's reason when it was aborted.
   * @param documentId where the request is for one document, so that a 404 may mean that
   */
  ask<T>(
    signal: AbortSignal,
    work: (client: SearchClient<Document>, options: CallOptions) => Promise<T>,
    documentId?: string,
  ): Promise<T>
}

const OPTIONS: SearchClientOptions = {
  // The engine repeats what may pass, and it knows for how long that makes sense.
  retryOptions: { maxRetries: 0 },
  userAgentOptions: { userAgentPrefix: 'taskforce' },
}

/** The index of this deployment. Connects to nothing and loads nothing before its first request. */
export function openIndex(dependencies: SearchDependencies): SearchIndex {
  const { config, apiKey, timeoutMs = 20_000 } = dependencies
  let client: SearchClient<Document> | undefined
  return {
    config,
    async ask(signal, work, documentId) {
      const deadline = AbortSignal.timeout(timeoutMs)
      let answer: Answer | undefined
      // Taken here, as the SDK breaks with a TypeError on a refusal without a body (13.0.0; a missing document is one).
      const onResponse: CallOptions['onResponse'] = ({ status, headers, parsedBody }) => {
        const retryAfterMs = readRetryAfterMs((name) => headers.get(name), Date.now())
        answer = { status, retryAfterMs, body: parsedBody }
      }
      try {
        client ??= await createClient(dependencies)
        return await work(client, { abortSignal: AbortSignal.any([signal, deadline]), onResponse })
      } catch (error) {
        if (signal.aborted) throw signal.reason
        throw toSearchError(error, { config, apiKey, answer, documentId, late: deadline.aborted })
      }
    },
  }
}

async function createClient({ config, apiKey, credential }: SearchDependencies): Promise<SearchClient<Document>> {
  const { endpoint, index } = config
  const { protocol, host } = new URL(endpoint)
  if (!keepsSecrets(endpoint)) {
    throw new TerminalError('search_misconfigured', `The search service at ${host} is configured without TLS.`, {
      hint: 'The operator has to set AZURE_SEARCH_ENDPOINT to an https:// URL. Go on without the documents.',
    })
  }
  const { AzureKeyCredential, SearchClient } = await import('@azure/search-documents')
  const credentials = apiKey === undefined ? await (credential ?? entraCredential)() : new AzureKeyCredential(apiKey)
  return new SearchClient(endpoint, index, credentials, { ...OPTIONS, allowInsecureConnection: protocol === 'http:' })
}
