import type { ModelConfig, Secrets } from '../config/config.ts'
import { TerminalError } from '../domain/errors.ts'
import { createAzureOpenAiModel } from './azure-openai.ts'
import type { Model } from './model.ts'
import { createOpenAiModel } from './openai.ts'

/** The deployment's language model. Without one, a model that says so: missions then end with what to set. */
export function createModel(
  config: ModelConfig,
  { openAiApiKey, azureOpenAiApiKey }: Pick<Secrets, 'openAiApiKey' | 'azureOpenAiApiKey'>,
): Model {
  if (config.provider === 'none') return missingModel
  if (config.provider === 'openai') return createOpenAiModel({ apiKey: openAiApiKey ?? '', baseUrl: config.baseUrl })
  const { endpoint, apiVersion } = config
  return createAzureOpenAiModel({ endpoint, apiVersion, apiKey: azureOpenAiApiKey })
}

const missingModel: Model = {
  complete: () =>
    Promise.reject(
      new TerminalError('model_not_configured', 'This deployment has no language model.', {
        hint: 'Set OPENAI_API_KEY, and OPENAI_BASE_URL for a server that is not OpenAI. Or set AZURE_OPENAI_ENDPOINT and AZURE_OPENAI_DEPLOYMENT, and AZURE_OPENAI_API_KEY where no identity of Entra ID is to be used.',
      }),
    ),
}
