import type { Inputs, Probe } from '../probe.ts'
import { fail, pass } from '../report.ts'
import { SCOPES, type Scope } from '../tokens.ts'

/** One token for each thing that is reached with an identity; no lines where nothing is. */
export function identityProbes(inputs: Inputs): Probe[] {
  return needs(inputs).map(({ name, scope, clientId, instead }) => {
    const hint = `az login on this machine, a managed identity on Azure; or ${instead}`
    return {
      group: 'Azure identity',
      name,
      hint,
      run: async () => {
        const found = await inputs.tokens.get(scope, clientId).catch(() => undefined)
        return [found === undefined ? fail(name, 'no token', hint) : pass(name, 'has a token')]
      },
    }
  })
}

interface Need {
  name: string
  scope: Scope
  clientId?: string
  instead: string
}

function needs({ config, secrets, broken }: Inputs): Need[] {
  const { database, storage, model, search } = config
  const found: Need[] = []
  if (database.auth === 'entra' && !broken.has('database')) {
    found.push({ name: 'database', scope: SCOPES.database, instead: 'DATABASE_AUTH=password' })
  }
  if (storage.kind === 'identity') {
    const { clientId } = storage
    found.push({ name: 'storage', scope: SCOPES.storage, clientId, instead: 'JOBS_STORAGE with a connection string' })
  }
  if (model.provider === 'azure-openai' && secrets.azureOpenAiApiKey === undefined) {
    found.push({ name: 'model', scope: SCOPES.model, instead: 'AZURE_OPENAI_API_KEY' })
  }
  if (search !== undefined && secrets.searchApiKey === undefined) {
    found.push({ name: 'search', scope: SCOPES.search, instead: 'AZURE_SEARCH_API_KEY' })
  }
  return found
}
