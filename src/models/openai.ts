import type { OpenAI } from 'openai'
import { createChatModel } from './chat-completions.ts'
import type { ChatOptions } from './chat-completions.ts'
import { callableOrigin } from './endpoint.ts'
import type { EndpointSettings } from './endpoint.ts'
import type { Model } from './model.ts'
import { initialDialect } from './openai-dialect.ts'
import type { Transport } from './transport.ts'

export interface OpenAiModelOptions extends ChatOptions {
  /** May be empty for a server that asks for none, such as Ollama. */
  apiKey: string
  /** OpenAI's own by default. Usually ends in `/v1`. */
  baseUrl?: string
}

const settings: EndpointSettings = {
  account: 'OPENAI_API_KEY',
  model: 'OPENAI_MODEL',
  noun: 'model',
  address: 'OPENAI_BASE_URL',
  addressForm: 'something like http://127.0.0.1:11434/v1 (most end in /v1)',
  credential: 'the key',
  refused: 'Set OPENAI_API_KEY to a key that is valid there and may use the model, or correct OPENAI_BASE_URL.',
}

/** A model behind OpenAI's Chat Completions or any compatible server (Ollama, vLLM, llama.cpp). */
export function createOpenAiModel(options: OpenAiModelOptions): Model {
  const baseUrl = options.baseUrl || 'https://api.openai.com/v1'
  const origin = callableOrigin(baseUrl)
  const loadClient = (transport: Transport) => loadOpenAi(options.apiKey, baseUrl, transport)
  return createChatModel({ loadClient, origin, settings, dialect: initialDialect(origin) }, options)
}

/** Nothing is read from the environment, nothing logged. */
async function loadOpenAi(apiKey: string, baseURL: string, transport: Transport): Promise<OpenAI> {
  const { OpenAI } = await import('openai')
  return new OpenAI({
    ...transport,
    // The package insists on a key; a server without authentication ignores it.
    apiKey: apiKey || 'none',
    baseURL,
    adminAPIKey: null,
    organization: null,
    project: null,
    logLevel: 'off',
    maxRetries: 0,
  })
}
