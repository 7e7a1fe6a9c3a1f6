import { OpenAI } from 'openai'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createChatModel } from '../../src/models/chat-completions.ts'
import { initialDialect } from '../../src/models/openai-dialect.ts'
import type { Transport } from '../../src/models/transport.ts'
import { startChatServer, text } from '../support/chat-server.ts'
import type { ChatServer } from '../support/chat-server.ts'
import { KEY, once, request } from './ask.ts'

let server: ChatServer

beforeAll(async () => {
  server = await startChatServer()
})

afterAll(() => server.stop())

const settings = {
  account: 'ACCOUNT',
  model: 'MODEL',
  noun: 'model',
  address: 'ADDRESS',
  addressForm: 'a good one',
  credential: 'the key',
  refused: 'Set another.',
} as const

function complete(loadClient: (transport: Transport) => Promise<OpenAI>) {
  const model = createChatModel({ loadClient, origin: server.url, settings, dialect: initialDialect() }, once)
  return () => model.complete(request, { signal: new AbortController().signal })
}

function client(transport: Transport): OpenAI {
  return new OpenAI({ ...transport, apiKey: KEY, baseURL: server.url, maxRetries: 0 })
}

test('a client that could not be loaded is loaded again', async () => {
  let loads = 0
  const ask = complete((transport) => {
    loads++
    return loads === 1 ? Promise.reject(new Error('not yet')) : Promise.resolve(client(transport))
  })
  server.script(text('one'), text('two'))
  await expect(ask()).rejects.toMatchObject({ code: 'model_unavailable' })
  expect(await ask()).toMatchObject({ text: 'one' })
  expect(await ask()).toMatchObject({ text: 'two' })
  expect(loads).toBe(2)
})

test('the body of a web page is given up, and its connection closed', async () => {
  const { promise: closed, resolve } = Promise.withResolvers<void>()
  server.script((response) => {
    response.on('close', resolve)
    response.writeHead(200, { 'content-type': 'text/html' }).write('<html>')
  })
  // Kept, because what nobody holds is closed with the garbage.
  const responses: Response[] = []
  const ask = complete((transport) => {
    const fetch: Transport['fetch'] = async (...args) => {
      const response = await transport.fetch(...args)
      responses.push(response)
      return response
    }
    return Promise.resolve(client({ ...transport, fetch }))
  })
  await expect(ask()).rejects.toMatchObject({ code: 'model_bad_request' })
  await expect(responses[0]?.body?.getReader().read()).rejects.toMatchObject({ name: 'AbortError' })
  await closed
})
