import { createServer as createTcpServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import type { IncomingMessage } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { EgressDependencies } from '../../src/tools/egress/exchange.ts'
import { createPostWebhook } from '../../src/tools/post-webhook.ts'
import { call, contextWith } from './context.ts'
import { fakeNetwork, loopbackOnly, redirect, REFUSED_NAMES, respond, serve } from './network.ts'

afterEach(() => {
  vi.unstubAllEnvs()
})

function send(
  url: string,
  origins: string[],
  dependencies: EgressDependencies = {},
  body: unknown = { a: 1 },
): Promise<string> {
  return call(createPostWebhook({ connect: loopbackOnly, ...dependencies }), { url, body }, contextWith({}, origins))
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

describe('sending', () => {
  test('one POST with JSON, the key of the call and no credentials', async () => {
    const bodies: Promise<string>[] = []
    const { origin, requests } = await serve((request, response) => {
      bodies.push(bodyOf(request))
      response.writeHead(202, { 'content-type': 'application/json' }).end('{"queued": true}')
    })
    const text = await send(`${origin}/orders?x=1#top`, [origin], {}, { name: 'Ü', lines: [1, null] })
    expect(text).toBe(`POST ${origin}/orders?x=1 answered 202 Accepted\n\n{"queued": true}`)
    expect(await Promise.all(bodies)).toEqual(['{"name":"Ü","lines":[1,null]}'])
    expect(requests).toHaveLength(1)
    expect(requests[0]).toMatchObject({ method: 'POST', url: '/orders?x=1' })
    expect(requests[0]?.headers).toMatchObject({
      'content-type': 'application/json',
      'idempotency-key': 'mission:1',
      'user-agent': 'taskforce',
      'content-length': '30',
    })
    for (const name of ['authorization', 'cookie']) expect(requests[0]?.headers).not.toHaveProperty(name)
  })

  test.each([[0], [false], [null], ['text'], [[1, 2]]])('%j is sent as it is', async (body) => {
    const bodies: Promise<string>[] = []
    const { origin } = await serve((request, response) => {
      bodies.push(bodyOf(request))
      response.writeHead(204).end()
    })
    expect(await send(origin, [origin], {}, body)).toBe(`POST ${origin}/ answered 204 No Content`)
    expect(await Promise.all(bodies)).toEqual([JSON.stringify(body)])
  })

  test('the answer is shown up to 4 KiB, and only where it is text', async () => {
    const { origin } = await serve((request, response) => {
      if (request.url === '/long') respond('ü'.repeat(1_000_000))(request, response)
      else if (request.url === '/gzip')
        respond('packed', 'text/plain', { 'content-encoding': 'gzip' })(request, response)
      else respond('binary', 'image/png')(request, response)
    })
    expect(await send(`${origin}/long`, [origin])).toBe(
      `POST ${origin}/long answered 200 OK\n\n${'ü'.repeat(2048)}\n[cut after 4096 bytes]`,
    )
    expect(await send(`${origin}/gzip`, [origin])).toBe(`POST ${origin}/gzip answered 200 OK`)
    expect(await send(`${origin}/png`, [origin])).toBe(`POST ${origin}/png answered 200 OK`)
  })

  test('an answer without end is read no further than that', async () => {
    const { origin } = await serve((request, response) => {
      response.writeHead(200, { 'content-type': request.url === '/text' ? 'text/plain' : 'image/png' })
      response.write('x'.repeat(10_000))
    })
    expect(await send(`${origin}/text`, [origin], { timeoutMs: 2000 })).toContain('\n[cut after 4096 bytes]')
    expect(await send(`${origin}/png`, [origin], { timeoutMs: 2000 })).toBe(`POST ${origin}/png answered 200 OK`)
  })

  test('a 2xx whose body breaks off or never ends was a success', async () => {
    const { origin } = await serve((request, response) => {
      response.writeHead(200, { 'content-type': 'text/plain', 'content-length': '100' })
      response.write('so far', () => request.url === '/cut' && response.socket?.resetAndDestroy())
    })
    expect(await send(`${origin}/cut`, [origin])).toBe(`POST ${origin}/cut answered 200 OK`)
    expect(await send(`${origin}/endless`, [origin], { timeoutMs: 100 })).toBe(`POST ${origin}/endless answered 200 OK`)
  })

  test('proxy variables are not followed', async () => {
    const { origin, requests } = await serve(respond('direct'))
    const proxy = await serve(respond('through the proxy'))
    for (const name of ['HTTP_PROXY', 'http_proxy', 'ALL_PROXY']) vi.stubEnv(name, proxy.origin)
    vi.stubEnv('NODE_USE_ENV_PROXY', '1')
    expect(await send(origin, [origin], { connect: undefined })).toContain('direct')
    expect([requests.length, proxy.requests.length]).toEqual([1, 0])
  })
})

describe('refusals before anything is sent', () => {
  test.each([
    ['an origin that is not listed', 'http://127.0.0.1:1/', ['https://hooks.example'], 'egress_denied'],
    ['any origin, since * is none', 'https://example.com/', ['*'], 'egress_denied'],
    ['an empty list', 'https://example.com/', [], 'egress_denied'],
    ['loopback by name', 'http://localhost/', ['http://127.0.0.1'], 'egress_denied'],
    ['metadata, even when listed', 'http://169.254.169.254/', ['http://169.254.169.254'], 'address_denied'],
    ['no URL', 'hooks', ['https://hooks.example'], 'invalid_url'],
    ['a file', 'file:///etc/passwd', ['https://hooks.example'], 'invalid_url'],
    ['a password', 'https://a:b@hooks.example/', ['https://hooks.example'], 'invalid_url'],
  ])('%s', async (_what, url, origins, code) => {
    await expect(send(url, origins)).rejects.toMatchObject({ name: 'TerminalError', code })
  })

  test('name the list that the profile would have to change', async () => {
    await expect(send('https://example.com/', ['*'])).rejects.toMatchObject({
      message: "https://example.com is not in the profile's egress.post, which has only *.",
      hint: expect.stringContaining("The profile's egress.post lists the origins that tools may send to."),
    })
  })

  test.each(REFUSED_NAMES)('a listed name for %s', async (_what, addresses) => {
    const { port, requests } = await serve(respond('secret'))
    const network = fakeNetwork(port, { 'rebind.example': [addresses] })
    await expect(send('http://rebind.example/', ['http://rebind.example'], network.dependencies)).rejects.toMatchObject(
      { name: 'TerminalError', code: 'address_denied' },
    )
    expect([network.connections, requests]).toEqual([[], []])
  })

  test('a listed name for a private address says which list could open it', async () => {
    const network = fakeNetwork(1, { 'rebind.example': [['10.0.0.1']] })
    await expect(send('http://rebind.example/', ['http://rebind.example'], network.dependencies)).rejects.toThrow(
      "The profile's egress.post would have to name that very address.",
    )
  })

  test('a name that turns private between check and connect is looked up once only', async () => {
    const { port } = await serve(respond('public'))
    const network = fakeNetwork(port, { 'flip.example': [['93.184.216.34'], ['127.0.0.1']] })
    expect(await send('http://flip.example/', ['http://flip.example'], network.dependencies)).toContain('public')
    expect([network.lookups, network.connections]).toEqual([['flip.example'], ['93.184.216.34']])
  })

  test('a body over 256 KiB or nested without end', async () => {
    const { origin, requests } = await serve(respond('x'))
    const fits = 'x'.repeat(256 * 1024 - 2)
    expect(await send(origin, [origin], {}, fits)).toContain('200 OK')
    await expect(send(origin, [origin], {}, `${fits}x`)).rejects.toMatchObject({
      name: 'TerminalError',
      code: 'too_large',
    })
    const deep: unknown = JSON.parse('['.repeat(120_000) + ']'.repeat(120_000))
    await expect(send(origin, [origin], {}, deep)).rejects.toMatchObject({ name: 'TerminalError', code: 'bad_body' })
    expect(requests).toHaveLength(1)
  })

  test('arguments without a body or with more than it takes', () => {
    const { input } = createPostWebhook()
    expect(input.safeParse({ url: 'https://a.example/' }).success).toBe(false)
    expect(input.safeParse({ url: 'https://a.example/', body: 1, headers: {} }).success).toBe(false)
  })
})

describe('answers that are certain', () => {
  test.each([400, 401, 404, 408, 409, 421, 422, 429])('%i says that the receiver refused', async (status) => {
    const { origin, requests } = await serve((_request, response) =>
      response.writeHead(status, { 'content-type': 'text/plain', 'retry-after': '7' }).end('amount is missing'),
    )
    await expect(send(origin, [origin])).rejects.toMatchObject({
      name: 'TerminalError',
      code: 'http_status',
      message: expect.stringMatching(`${status} .*: amount is missing$`),
      hint: expect.stringContaining('It asks to wait 7 s first.'),
    })
    expect(requests).toHaveLength(1)
  })

  test("a pause until a date counts by the receiver's own clock", async () => {
    const date = 'Fri, 01 Jan 2100 00:00:00 GMT'
    const { origin } = await serve((_request, response) =>
      response.writeHead(429, { date, 'retry-after': 'Fri, 01 Jan 2100 00:00:09 GMT' }).end(),
    )
    await expect(send(origin, [origin])).rejects.toMatchObject({
      hint: expect.stringContaining('It asks to wait 9 s first.'),
    })
  })

  test.each([301, 307, 308])('%i says where it points, and nothing is sent there', async (status) => {
    const other = await serve(respond('moved here'))
    const { origin, requests } = await serve(redirect(`${other.origin}/new`, status))
    await expect(send(origin, [origin, other.origin])).rejects.toMatchObject({
      name: 'TerminalError',
      code: 'redirected',
      message: expect.stringContaining(`points to ${other.origin}/new, which was not followed`),
    })
    expect([requests.length, other.requests.length]).toEqual([1, 0])
  })

  test('a refused connection sent nothing', async () => {
    const { origin, stop } = await serve(respond('x'))
    await stop()
    await expect(send(origin, [origin])).rejects.toMatchObject({
      name: 'TerminalError',
      code: 'not_sent',
      message: `${origin}/ could not be reached (ECONNREFUSED), so nothing was sent.`,
      hint: expect.stringContaining('may be called again'),
    })
  })

  test('a TLS handshake that fails sent nothing', async () => {
    const { origin } = await serve(respond('x'))
    const https = origin.replace('http:', 'https:')
    await expect(send(https, [https])).rejects.toMatchObject({ name: 'TerminalError', code: 'not_sent' })
  })

  test('a name that is not there, or a resolver in trouble, sent nothing', async () => {
    const failing = (code: string): EgressDependencies => ({
      connect: undefined,
      resolve: () => Promise.reject(Object.assign(new Error(code), { code })),
    })
    const url = 'http://a.example/'
    await expect(send(url, ['http://a.example'], failing('ENOTFOUND'))).rejects.toMatchObject({
      name: 'TerminalError',
      code: 'host_not_found',
    })
    await expect(send(url, ['http://a.example'], failing('EAI_AGAIN'))).rejects.toMatchObject({
      name: 'TerminalError',
      code: 'not_sent',
      message: expect.stringContaining('EAI_AGAIN'),
    })
  })

  test('time that ran out before there was a connection sent nothing, not even later', async () => {
    const { port, requests } = await serve(respond('x'))
    const { promise: held, resolve: release } = Promise.withResolvers<void>()
    const slow: EgressDependencies = {
      timeoutMs: 50,
      connect: (lookup) => (options, callback) => {
        void held.then(() => loopbackOnly(lookup)({ ...options, hostname: '127.0.0.1', port: String(port) }, callback))
      },
    }
    await expect(send('http://slow.example/', ['http://slow.example'], slow)).rejects.toMatchObject({
      name: 'TerminalError',
      code: 'not_sent',
      message: expect.stringContaining('no connection in time'),
    })
    release()
    await sleep(100)
    expect(requests).toEqual([])
  })
})

describe('answers that leave it open whether the receiver acted', () => {
  test.each([500, 502, 503, 504])('%i', async (status) => {
    const { origin, requests } = await serve((_request, response) => response.writeHead(status).end())
    await expect(send(origin, [origin])).rejects.toMatchObject({
      name: 'RetryableError',
      code: 'http_status',
      message: expect.stringContaining('not known'),
    })
    expect(requests).toHaveLength(1)
  })

  test.each([302, 303])('%i, which a receiver may send once it has acted', async (status) => {
    const { origin, requests } = await serve(redirect('/done', status))
    await expect(send(origin, [origin])).rejects.toMatchObject({
      name: 'RetryableError',
      code: 'redirected',
      message: expect.stringContaining('points to /done'),
    })
    expect(requests).toHaveLength(1)
  })

  test('a connection that is reset, or closed without a word, after the request', async () => {
    for (const end of ['resetAndDestroy', 'destroy'] as const) {
      const { origin, requests } = await serve((request) => request.socket[end]())
      await expect(send(origin, [origin])).rejects.toMatchObject({ name: 'RetryableError', code: 'send_failed' })
      expect(requests).toHaveLength(1)
    }
  })

  test('an answer that never comes', async () => {
    const { origin, requests } = await serve(() => undefined)
    await expect(send(origin, [origin], { timeoutMs: 200 })).rejects.toMatchObject({
      name: 'RetryableError',
      code: 'send_timeout',
    })
    expect(requests).toHaveLength(1)
  })

  test('an answer that is no HTTP', async () => {
    const server = createTcpServer((socket) => socket.on('data', () => socket.end('SSH-2.0-hello\r\n')))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    await expect(send(origin, [origin])).rejects.toMatchObject({ name: 'RetryableError', code: 'send_failed' })
    await new Promise((resolve) => server.close(resolve))
  })
})

test('a call that is aborted before it has a connection sends nothing', async () => {
  const stop = new AbortController()
  const { origin, requests } = await serve(respond('acted'))
  const context = { ...contextWith({}, [origin]), signal: stop.signal }
  const sent = createPostWebhook().run({ url: origin, body: 1 }, context)
  // In the same turn: the HTTP client is being loaded, and nobody listens to the signal yet.
  stop.abort(new Error('cancelled by the user'))
  await expect(sent).rejects.toThrow('cancelled by the user')
  await sleep(50)
  expect(requests).toEqual([])
})

test('an aborted call throws the reason of the abort', async () => {
  const stop = new AbortController()
  const { origin } = await serve(() => stop.abort(new Error('cancelled by the user')))
  const context = { ...contextWith({}, [origin]), signal: stop.signal }
  await expect(createPostWebhook().run({ url: origin, body: 1 }, context)).rejects.toThrow('cancelled by the user')
})
