import type { ModelConfig } from '../config/config.ts'
import { TerminalError } from '../domain/errors.ts'
import type { Model } from './model.ts'
import { createOpenAiModel } from './openai.ts'

/** The deployment's language model. Without a key, a model that says so: missions then end with what to set. */
export function createModel(config: ModelConfig, apiKey: string | undefined): Model {
  if (config.provider !== 'openai') return missingModel
  return createOpenAiModel({ apiKey: apiKey ?? '', baseUrl: config.baseUrl })
}

const missingModel: Model = {
  complete: () =>
    Promise.reject(
      new TerminalError('model_not_configured', 'This deployment has no language model.', {
        hint: 'Set OPENAI_API_KEY, and OPENAI_BASE_URL for a server that is not OpenAI.',
      }),
    ),
}
