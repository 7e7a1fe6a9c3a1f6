import { AuthenticationError, CredentialUnavailableError } from '@azure/identity'
import { AggregateAuthenticationError } from '@azure/identity'
import type { TokenCredential } from '@azure/identity'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import type { TerminalError } from '../../src/domain/errors.ts'
import { createAzureOpenAiModel } from '../../src/models/azure-openai.ts'
import type { AzureOpenAiModelOptions } from '../../src/models/azure-openai.ts'
import { refuse, startChatServer, text } from '../support/chat-server.ts'
import type { ChatServer } from '../support/chat-server.ts'
import { KEY, once, request } from './ask.ts'

let server: ChatServer
let endpoint: string

beforeAll(async () => {
  server = await startChatServer()
  endpoint = new URL(server.url).origin
})

afterAll(() => server.stop())

afterEach(() => vi.unstubAllEnvs())

function azure(options: Partial<AzureOpenAiModelOptions>) {
  const model = createAzureOpenAiModel({ endpoint, apiVersion: '2024-10-21', ...once, ...options })
  return (signal = new AbortController().signal) =>
    model.complete({ ...request, model: 'my deployment', maxOutputTokens: 50 }, { signal })
}

/** Gives the tokens token1, token2 …, each for so many seconds. */
function fakeIdentity(seconds: number) {
  const scopes: unknown[] = []
  const credential: TokenCredential = {
    getToken(scope) {
      scopes.push(scope)
      return Promise.resolve({ token: `token${scopes.length}`, expiresOnTimestamp: Date.now() + seconds * 1000 })
    },
  }
  return { scopes, credential: () => Promise.resolve(credential) }
}

function failing(thrown: unknown): () => Promise<TokenCredential> {
  // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- whatever a library throws
  return () => Promise.resolve({ getToken: () => Promise.reject(thrown) })
}

describe('a request', () => {
  test('goes to the deployment, with the API version and the key', async () => {
    server.script(text('Hello'))
    expect(await azure({ apiKey: KEY, endpoint: `${endpoint}/` })()).toMatchObject({ text: 'Hello' })
    expect(server.requests[0]).toMatchObject({
      path: '/openai/deployments/my%20deployment/chat/completions?api-version=2024-10-21',
      headers: { 'api-key': KEY },
      body: { stream: true, stream_options: { include_usage: true }, max_tokens: 50 },
    })
    expect(server.requests[0]?.headers).not.toHaveProperty('authorization')
  })

  test('carries a token of Entra ID where there is no key, asked for once while it is valid', async () => {
    const { scopes, credential } = fakeIdentity(3600)
    const ask = azure({ credential })
    server.script(text('one'), text('two'))
    await ask()
    await ask()
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer token1', 'Bearer token1'])
    expect(server.requests[0]?.headers).not.toHaveProperty('api-key')
    expect(scopes).toEqual([['https://cognitiveservices.azure.com/.default']])
  })

  test('asks for a token again when the last one has expired', async () => {
    const ask = azure({ credential: fakeIdentity(0).credential })
    server.script(text('one'), text('two'))
    await ask()
    await ask()
    expect(server.requests[1]?.headers.authorization).toBe('Bearer token2')
  })

  test('is not changed by what the environment says to the openai package', async () => {
    vi.stubEnv('OPENAI_BASE_URL', 'http://127.0.0.1:1/v1')
    vi.stubEnv('AZURE_OPENAI_API_KEY', 'another key')
    vi.stubEnv('OPENAI_API_VERSION', '2000-01-01')
    server.script(text('Hello'))
    await azure({ credential: fakeIdentity(3600).credential })()
    expect(server.requests[0]).toMatchObject({
      path: expect.stringContaining('2024-10-21') as string,
      headers: { authorization: 'Bearer token1' },
    })
  })

  test('to a reasoning model is repeated with the field that it takes', async () => {
    const message = "Unsupported parameter: 'max_tokens' is not supported with this model."
    server.script(
      refuse(400, { error: { message, param: 'max_tokens', code: 'unsupported_parameter' } }),
      text('Hello'),
    )
    await azure({ apiKey: KEY })()
    expect(server.requests[1]?.body).toMatchObject({ max_completion_tokens: 50 })
  })
})

describe('a hint', () => {
  const message = 'The API deployment for this resource does not exist.'

  test.each([
    [401, {}, 'model_auth', 'AZURE_OPENAI_API_KEY'],
    [404, { code: 'DeploymentNotFound', message }, 'model_not_found', 'AZURE_OPENAI_DEPLOYMENT'],
    [404, { code: '404', message: 'Resource not found' }, 'model_not_found', 'AZURE_OPENAI_API_VERSION'],
    [400, { code: 'context_length_exceeded' }, 'model_context_too_long', 'AZURE_OPENAI_DEPLOYMENT'],
    [400, { code: 'content_filter' }, 'model_content_filter', 'AZURE_OPENAI_DEPLOYMENT'],
    [400, {}, 'model_bad_request', 'AZURE_OPENAI_ENDPOINT'],
    [413, {}, 'model_context_too_long', 'AZURE_OPENAI_ENDPOINT'],
    [402, {}, 'model_quota', 'AZURE_OPENAI_ENDPOINT'],
  ])('for status %i and %o (%s) names %s and no setting of OpenAI', async (status, error, code, setting) => {
    server.script(refuse(status, { error }))
    const failure = (await azure({ apiKey: KEY })().catch((reason: unknown) => reason)) as TerminalError
    expect(failure).toMatchObject({ code, hint: expect.stringContaining(setting) as string })
    expect(`${failure.message} ${failure.hint}`).not.toMatch(/(?<!AZURE_)OPENAI_[A-Z]/)
  })

  test.each([401, 403])('for status %i to a token names the role, and its delay', async (status) => {
    server.script(refuse(status, { error: { code: 'PermissionDenied' } }))
    await expect(azure({ credential: fakeIdentity(3600).credential })()).rejects.toMatchObject({
      code: 'model_auth',
      message: `The model server at ${endpoint} refused this app's identity (${status}).`,
      hint: expect.stringMatching(/Cognitive Services OpenAI User.+some minutes/) as string,
    })
  })

  test('for an endpoint without TLS asks for it, and no token is fetched for it', async () => {
    const { scopes, credential } = fakeIdentity(3600)
    // Not one of this machine's own addresses, but it leads to the server here.
    const open = endpoint.replace('127.0.0.1', '0.0.0.0')
    server.script(text('too late'), text('too late'))
    for (const keys of [{ apiKey: KEY }, { credential }]) {
      await expect(azure({ ...keys, endpoint: open })()).rejects.toMatchObject({
        name: 'TerminalError',
        code: 'model_bad_request',
        message: `The model server at ${open} is configured without TLS.`,
        hint: expect.stringContaining('AZURE_OPENAI_ENDPOINT to an https:// URL') as string,
      })
    }
    expect(scopes).toEqual([])
    expect(server.requests).toEqual([])
  })

  test('for an endpoint that is none shows a good one', async () => {
    await expect(azure({ apiKey: KEY, endpoint: 'my-resource' })()).rejects.toMatchObject({
      code: 'model_bad_request',
      hint: expect.stringContaining('AZURE_OPENAI_ENDPOINT: https://NAME.openai.azure.com') as string,
    })
  })
})

const refusedLogin = {
  error: 'invalid_client',
  error_description: 'AADSTS7000215: Invalid client secret for tenant 1234',
}
const noIdentity = new CredentialUnavailableError('EnvironmentCredential is unavailable.')
const noImds = new CredentialUnavailableError(
  'ManagedIdentityCredential: Authentication failed. Message Attempted to use the IMDS endpoint, but it is not available.',
)
const signedOut = new CredentialUnavailableError("Please run 'az login' from a command prompt to authenticate.")
const refusedPort = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
const wrapped = new CredentialUnavailableError('ManagedIdentityCredential failed', { cause: refusedPort })

test.each([
  ['the network is away', refusedPort, 'ECONNREFUSED'],
  [
    'the identity endpoint refuses connections',
    new AggregateAuthenticationError([noIdentity, wrapped], ''),
    'ECONNREFUSED',
  ],
  ['the identity endpoint is not there yet', new AggregateAuthenticationError([noIdentity, noImds], ''), undefined],
  ['MSAL finds no network', Object.assign(new Error('x'), { errorCode: 'network_error' }), undefined],
  ['Entra ID is overloaded', new AuthenticationError(503, 'busy'), '503'],
])('no token because %s may pass', async (_why, error, reason) => {
  await expect(azure({ credential: failing(error) })()).rejects.toMatchObject({
    name: 'RetryableError',
    code: 'model_unavailable',
    message: `Entra ID gave this app no token for Azure OpenAI${reason ? ` (${reason})` : ''}. If this lasts, check that the app has a managed identity, or set AZURE_OPENAI_API_KEY.`,
  })
})

test.each([
  ['Entra ID refuses', new AuthenticationError(401, refusedLogin), 'AADSTS7000215'],
  ['there is no identity at all', new AggregateAuthenticationError([noIdentity], ''), undefined],
  ['nobody is signed in', new AggregateAuthenticationError([noIdentity, noImds, signedOut], ''), undefined],
  ['something else is thrown', 'a word', undefined],
])('no token because %s stays, and says what to do', async (_why, error, reason) => {
  server.script(text('too late'))
  const failure = await azure({ credential: failing(error) })().catch((thrown: unknown) => thrown)
  expect(failure).toMatchObject({
    name: 'TerminalError',
    code: 'model_auth',
    message: `Entra ID gave this app no token for Azure OpenAI${reason ? ` (${reason})` : ''}.`,
    hint: expect.stringMatching(/Cognitive Services OpenAI User.+az login.+AZURE_OPENAI_API_KEY/) as string,
    spent: undefined,
  })
  expect(server.requests).toHaveLength(0)
})

test('a token that never comes holds neither a deadline nor an abort', async () => {
  const credential = () => Promise.resolve({ getToken: () => new Promise<never>(() => undefined) })
  await expect(azure({ credential, timeouts: { firstByteMs: 30 } })()).rejects.toMatchObject({ code: 'model_timeout' })

  const abort = new AbortController()
  const answer = azure({ credential })(abort.signal)
  const reason = new Error('the mission was cancelled')
  abort.abort(reason)
  await expect(answer).rejects.toBe(reason)
})
