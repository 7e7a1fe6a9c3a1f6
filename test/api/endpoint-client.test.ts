import { once } from 'node:events'
import http, { type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { HttpRequest, InvocationContext } from '@azure/functions'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { endpoint } from '../../functions/http-endpoint.ts'
import type { Endpoint } from '../../src/api/endpoints.ts'
import type { ApiRequest } from '../../src/api/http.ts'
import { NOWHERE } from '../support/environment.ts'

/** In place of the library's server: passes requests on to an endpoint as soon as their head is here. */
let url: string
let seen: ApiRequest
let response: ServerResponse
const work = vi.fn<Endpoint>((request) => {
  seen = request
  return Promise.resolve({ status: 200, headers: {} })
})
const server = http.createServer((_, given) => void (response = given))

beforeAll(async () => {
  vi.stubEnv('AUTH', 'off')
  vi.stubEnv('OPENAI_API_KEY', 'none')
  for (const [name, value] of Object.entries(NOWHERE)) vi.stubEnv(name, value)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterEach(() => server.closeAllConnections())
afterAll(() => {
  server.close()
  vi.unstubAllEnvs()
})

/** Sends a request with these headers, and gives its client once the server has it. */
async function send(headers: http.OutgoingHttpHeaders): Promise<http.ClientRequest> {
  const request = http.get(url, { headers, agent: false }).on('error', () => undefined)
  await once(server, 'request')
  return request
}

async function invoke(invocationId: string): Promise<void> {
  const request = { url, method: 'GET', headers: new Headers(), body: null } as unknown as HttpRequest
  await endpoint(work)(request, { invocationId, functionName: 'f' } as unknown as InvocationContext)
  expect(work).toHaveBeenCalled()
}

test('an endpoint is told what its client took, and when nobody reads any more', async () => {
  const client = await send({ 'x-ms-invocation-id': 'one' })
  await invoke('one')
  expect(seen.unread?.()).toBe(0)
  response.write('x'.repeat(64 * 2 ** 20))
  expect(seen.unread?.()).toBeGreaterThan(32 * 2 ** 20)
  const { promise: closed, resolve } = Promise.withResolvers<void>()
  seen.onClose?.(resolve)
  client.destroy()
  await closed
  const late = vi.fn<() => void>()
  seen.onClose?.(late)
  expect(late).toHaveBeenCalledOnce()
})

test('what is closed is kept no more, and other requests never were', async () => {
  const client = await send({ 'x-ms-invocation-id': 'two' })
  await invoke('two')
  client.destroy()
  await once(response, 'close')
  await invoke('two')
  expect(seen).not.toHaveProperty('unread')
  await send({})
  await invoke('undefined')
  expect(seen).not.toHaveProperty('onClose')
})
