import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ModelConfig } from '../../src/config/config.ts'
import { createModel } from '../../src/models/create-model.ts'
import { startChatServer, text } from '../support/chat-server.ts'
import type { ChatServer } from '../support/chat-server.ts'
import { request } from './ask.ts'

let server: ChatServer

beforeAll(async () => {
  server = await startChatServer()
})

afterAll(() => server.stop())

const keys = { openAiApiKey: 'openai-key', azureOpenAiApiKey: 'azure-key' }

function complete(config: ModelConfig) {
  return createModel(config, keys).complete(request, { signal: new AbortController().signal })
}

test('a compatible server gets the key of OpenAI', async () => {
  server.script(text('Hello'))
  await complete({ provider: 'openai', name: 'm', baseUrl: server.url })
  expect(server.requests[0]).toMatchObject({
    path: '/v1/chat/completions',
    headers: { authorization: 'Bearer openai-key' },
  })
})

test('Azure OpenAI gets its own key', async () => {
  server.script(text('Hello'))
  const endpoint = new URL(server.url).origin
  await complete({ provider: 'azure-openai', name: 'm', endpoint, apiVersion: '2024-10-21' })
  expect(server.requests[0]).toMatchObject({
    path: '/openai/deployments/some-model/chat/completions?api-version=2024-10-21',
    headers: { 'api-key': 'azure-key' },
  })
})

test('without a model, a mission learns both ways to configure one', async () => {
  await expect(complete({ provider: 'none', name: 'm' })).rejects.toMatchObject({
    name: 'TerminalError',
    code: 'model_not_configured',
    hint: expect.stringMatching(/OPENAI_API_KEY.+AZURE_OPENAI_ENDPOINT and AZURE_OPENAI_DEPLOYMENT/) as string,
  })
})
