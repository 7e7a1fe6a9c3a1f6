import type { SearchConfig } from '../../../src/config/config.ts'
import { keepsSecrets } from '../../../src/config/keeps-secrets.ts'
import { optionalTools } from '../../../src/tools/registry.ts'
import { count } from '../../mission/text.ts'
import { causeOf, statusOf } from '../failure.ts'
import { notLookedAt, type Inputs, type Probe } from '../probe.ts'
import { fail, pass, warn, type Finding } from '../report.ts'
import { plainUrl } from '../show-value.ts'
import { NoTokenError, SCOPES } from '../tokens.ts'

const FORM = 'AZURE_SEARCH_ENDPOINT=https://NAME.search.windows.net and AZURE_SEARCH_INDEX=INDEX'

/** The search index, which a deployment may be without. */
export function searchProbe(inputs: Inputs): Probe {
  const probe = (run: Probe['run']): Probe => ({
    group: 'Search',
    name: 'index',
    hint: 'correct AZURE_SEARCH_ENDPOINT',
    run,
  })
  const broken = inputs.broken.get('search')
  if (broken !== undefined) return probe(() => notLookedAt('index', broken))
  const { search } = inputs.config
  if (search === undefined) return probe(() => [none(inputs)])
  return probe((signal) => inspect(inputs, search, signal))
}

/** Optional all the same: a profile's tools for it are left out. */
function none({ profiles }: Inputs): Finding {
  const named = [...profiles.byName.values()].some(({ tools }) => tools.some((tool) => optionalTools.has(tool)))
  if (!named) return pass('index', 'none, and no profile needs one', `to have one: ${FORM}`)
  return warn('index', `none (optional), so missions are without ${[...optionalTools].join(' and ')}`, FORM)
}

async function inspect(inputs: Inputs, search: SearchConfig, signal: AbortSignal): Promise<Finding[]> {
  const url = URL.parse(search.endpoint)
  if (url === null) return [fail('index', 'AZURE_SEARCH_ENDPOINT is no URL', FORM)]
  if (!keepsSecrets(search.endpoint)) {
    return [fail('index', 'a key or token would go there unencrypted', 'begin AZURE_SEARCH_ENDPOINT with https://')]
  }
  try {
    const documents = await countDocuments(inputs, search, signal)
    return [pass('index', `${search.index} at ${url.host}, ${count(documents)} documents`)]
  } catch (error) {
    return [refusal(error, inputs, search)]
  }
}

async function countDocuments({ secrets, tokens }: Inputs, search: SearchConfig, signal: AbortSignal): Promise<number> {
  // Heavy, so it loads only where there is something to search.
  const { AzureKeyCredential, SearchClient } = await import('@azure/search-documents')
  const key = secrets.searchApiKey
  const credential = key === undefined ? tokens.credential(SCOPES.search) : new AzureKeyCredential(key)
  const client = new SearchClient(search.endpoint, search.index, credential, {
    retryOptions: { maxRetries: 0 },
    redirectOptions: { maxRetries: 0 },
    // Loopback alone comes here without TLS.
    allowInsecureConnection: true,
  })
  return client.getDocumentsCount({ abortSignal: signal })
}

function refusal(error: unknown, { secrets }: Inputs, { endpoint, index }: SearchConfig): Finding {
  if (error instanceof NoTokenError) {
    return fail('index', 'Entra ID gives no token for the search', 'see Azure identity, or AZURE_SEARCH_API_KEY')
  }
  const place = plainUrl(endpoint) ?? ''
  const status = statusOf(error)
  switch (status) {
    case undefined:
      return fail('index', `${place}: ${causeOf(error)}`, 'correct AZURE_SEARCH_ENDPOINT')
    case 401:
    case 403:
      return secrets.searchApiKey === undefined
        ? fail('index', `${place} refuses the identity (${status})`, 'give it the role "Search Index Data Reader"')
        : fail('index', `${place} refuses the key (${status})`, 'correct AZURE_SEARCH_API_KEY (a query key will do)')
    case 404:
      return fail('index', `${place} has no index ${index}`, 'correct AZURE_SEARCH_INDEX')
    default:
      return fail('index', `${place} answers with an error (${status})`, 'correct AZURE_SEARCH_ENDPOINT, or try later')
  }
}
