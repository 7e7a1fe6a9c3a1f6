import type { TokenCredential } from '@azure/identity'
import type { OpenAI } from 'openai'
import { entraCredential } from '../config/entra-credential.ts'
import { keepsSecrets } from '../config/keeps-secrets.ts'
import { TerminalError } from '../domain/errors.ts'
import { createChatModel } from './chat-completions.ts'
import type { ChatOptions } from './chat-completions.ts'
import { callableOrigin } from './endpoint.ts'
import type { EndpointSettings } from './endpoint.ts'
import { entraToken } from './entra-token.ts'
import type { Model } from './model.ts'
import { initialDialect } from './openai-dialect.ts'
import type { Transport } from './transport.ts'

export interface AzureOpenAiModelOptions extends ChatOptions {
  /** Of the resource, such as https://NAME.openai.azure.com. */
  endpoint: string
  /** A dated version, such as 2024-10-21. */
  apiVersion: string
  /** Without one, a token of Entra ID is sent. */
  apiKey?: string
  /** This deployment's own by default. */
  credential?: () => Promise<TokenCredential>
}

const settings = {
  account: 'AZURE_OPENAI_ENDPOINT',
  model: 'AZURE_OPENAI_DEPLOYMENT',
  noun: 'deployment',
  address: 'AZURE_OPENAI_ENDPOINT',
  addressForm: 'https://NAME.openai.azure.com, and AZURE_OPENAI_API_VERSION a version that it knows',
} as const

const withKey: EndpointSettings = {
  ...settings,
  credential: 'the key',
  refused:
    "Set AZURE_OPENAI_API_KEY to a key of that resource, or correct AZURE_OPENAI_ENDPOINT. The resource's network rules refuse, too.",
}

const withToken: EndpointSettings = {
  ...settings,
  credential: "this app's identity",
  refused:
    "Give the identity the role Cognitive Services OpenAI User on that resource; after that it takes some minutes. The resource's network rules refuse, too.",
}

/**
 * A model of Azure OpenAI; `model` of a request is a deployment's name. Without TLS it refuses every request, since it
 * would show its key or token, and the conversation, to the network; only this machine needs none.
 */
export function createAzureOpenAiModel(options: AzureOpenAiModelOptions): Model {
  const origin = callableOrigin(options.endpoint)
  if (origin !== undefined && !keepsSecrets(origin)) return { complete: () => Promise.reject(withoutTls(origin)) }
  const token = entraToken(options.credential ?? entraCredential)
  const server = {
    loadClient: (transport: Transport) => loadAzureOpenAi(options, token, transport),
    origin,
    settings: options.apiKey ? withKey : withToken,
    dialect: initialDialect(),
  }
  return createChatModel(server, options)
}

function withoutTls(origin: string): TerminalError {
  return new TerminalError('model_bad_request', `The model server at ${origin} is configured without TLS.`, {
    hint: `Set ${settings.address} to an https:// URL: ${settings.addressForm}.`,
  })
}

/** Nothing is read from the environment, nothing logged: `null` and `''` keep the class from looking there. */
async function loadAzureOpenAi(
  { endpoint, apiVersion, apiKey = '' }: AzureOpenAiModelOptions,
  token: () => Promise<string>,
  transport: Transport,
): Promise<OpenAI> {
  const { AzureOpenAI } = await import('openai')
  return new AzureOpenAI({
    ...transport,
    endpoint,
    baseURL: null,
    apiVersion,
    apiKey,
    azureADTokenProvider: apiKey === '' ? token : undefined,
    adminAPIKey: null,
    organization: null,
    project: null,
    logLevel: 'off',
    maxRetries: 0,
  })
}
