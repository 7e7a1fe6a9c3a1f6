import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { EgressDependencies } from '../../src/tools/egress/exchange.ts'
import { createFetchUrl } from '../../src/tools/fetch-url.ts'
import { call, contextWith } from './context.ts'
import { fakeNetwork, loopbackOnly, redirect, REFUSED_NAMES, respond, serve } from './network.ts'

afterEach(() => {
  vi.unstubAllEnvs()
})

function fetchUrl(url: string, allow: string[], dependencies: EgressDependencies = {}): Promise<string> {
  return call(createFetchUrl({ connect: loopbackOnly, ...dependencies }), { url }, contextWith({}, allow))
}

describe('reading', () => {
  test('a page becomes its title, its address and its readable text', async () => {
    const { origin } = await serve(
      respond(
        `<!doctype html><html><head><title> Prices &amp;\n more </title><style>b{}</style></head><body><nav>Menu</nav>
        <h1>Prices</h1><p>See <a href="../old?a=1">last year</a>.<img src="x.png" alt="logo"></p>
        <table><tr><th>Item<th>Price<tr><td>Tea<td>3.50</table><script>track()</script></body></html>`,
        'text/html; charset=utf-8',
      ),
    )
    expect(await fetchUrl(`${origin}/x/p#top`, [origin])).toBe(
      `Title: Prices & more\nURL: ${origin}/x/p\n\nPrices\n\nSee last year [${origin}/old?a=1].\n\nItem | Price\nTea | 3.50`,
    )
  })

  test('the page is named as the source, by its last address and its title', async () => {
    const { origin } = await serve((request, response) => {
      if (request.url === '/old') redirect('/new')(request, response)
      else if (request.url === '/new') respond('<title>Prices</title>Tea', 'text/html')(request, response)
      else respond('plain')(request, response)
    })
    const sources = async (path: string) =>
      (await createFetchUrl().run({ url: origin + path }, contextWith({}, [origin]))).sources
    expect(await sources('/old')).toEqual([{ id: `${origin}/new`, title: 'Prices', url: `${origin}/new` }])
    expect(await sources('/text')).toEqual([{ id: `${origin}/text`, url: `${origin}/text` }])
  })

  test('a title without end leaves room for the page', async () => {
    const { origin } = await serve(respond(`<title>${'A'.repeat(1_900_000)}</title><p>Tea`, 'text/html'))
    const context = contextWith({}, [origin])
    const { text, sources } = await createFetchUrl().run({ url: `${origin}/` }, context)
    const title = `${'A'.repeat(299)}…`
    expect(text).toBe(`Title: ${title}\nURL: ${origin}/\n\nTea`)
    expect(sources).toEqual([{ id: `${origin}/`, title, url: `${origin}/` }])
  })

  test('HTML without tags around it, without a title or without text is read too', async () => {
    const { origin } = await serve((request, response) =>
      respond(request.url === '/a' ? '<p>Hi' : '<script>app()</script>', 'text/html')(request, response),
    )
    expect(await fetchUrl(`${origin}/a`, [origin])).toBe(`Title: (none)\nURL: ${origin}/a\n\nHi`)
    expect(await fetchUrl(`${origin}/b`, [origin])).toContain('no readable text')
  })

  test.each([
    'text/plain',
    'application/json',
    'application/problem+json',
    'text/xml',
    'application/atom+xml; charset=UTF-8',
  ])('%s comes as it is', async (type) => {
    const { origin } = await serve(respond('{"a": "ü"}', type))
    expect(await fetchUrl(origin, [origin])).toBe(`URL: ${origin}/\n\n{"a": "ü"}`)
  })

  test('the charset of the header or of the page counts', async () => {
    const { origin } = await serve((request, response) => {
      const type = request.url === '/header' ? 'text/plain; charset="ISO-8859-1"' : 'text/html'
      respond(Buffer.from(`<meta charset=windows-1252>Gr\xfc\xdfe`, 'latin1'), type)(request, response)
    })
    expect(await fetchUrl(`${origin}/header`, [origin])).toContain('Grüße')
    expect(await fetchUrl(`${origin}/page`, [origin])).toContain('Grüße')
  })

  test('a page of hostile HTML is read within bounds', async () => {
    const { origin } = await serve((request, response) => {
      const html = {
        '/deep': '<div>'.repeat(400_000),
        '/span': '<table><tr><td colspan=9999999 rowspan=9999999>a</table>',
        '/roman': '<ol type=i start=10000><li>a</ol>',
      }
      respond(html[request.url as '/deep'], 'text/html')(request, response)
    })
    expect(await fetchUrl(`${origin}/deep`, [origin])).toContain('too many tags')
    expect(await fetchUrl(`${origin}/span`, [origin])).toMatch(/\n\na$/)
    await expect(fetchUrl(`${origin}/roman`, [origin])).rejects.toMatchObject({ code: 'bad_html' })
  })
})

describe('limits', () => {
  test('a body is refused once it is over the limit, counted after decompression', async () => {
    const bomb = gzipSync(Buffer.alloc(50 * 1024 * 1024, 'a'))
    const { origin } = await serve((request, response) => {
      if (request.url === '/gzip') respond(bomb, 'text/plain', { 'content-encoding': 'gzip' })(request, response)
      else respond('a'.repeat(request.url === '/fits' ? 1000 : 1001))(request, response)
    })
    await expect(fetchUrl(`${origin}/gzip`, [origin])).rejects.toMatchObject({
      name: 'TerminalError',
      code: 'too_large',
    })
    await expect(fetchUrl(`${origin}/over`, [origin], { maxBytes: 1000 })).rejects.toMatchObject({ code: 'too_large' })
    expect(await fetchUrl(`${origin}/fits`, [origin], { maxBytes: 1000 })).toContain('aaa')
  })

  test.each(['image/png', 'application/octet-stream', 'application/pdf', 'text/', ''])(
    'content of type %j is refused',
    async (type) => {
      const { origin } = await serve((_request, response) => {
        if (type) response.setHeader('content-type', type)
        response.end('x')
      })
      await expect(fetchUrl(origin, [origin])).rejects.toMatchObject({ code: 'not_text' })
    },
  )

  test('a server that never answers, or never ends, is given up', async () => {
    const { origin } = await serve((request, response) => {
      if (request.url === '/endless') response.writeHead(200, { 'content-type': 'text/plain' }).write('a')
    })
    for (const path of ['/', '/endless']) {
      await expect(fetchUrl(origin + path, [origin], { timeoutMs: 100 })).rejects.toMatchObject({
        name: 'RetryableError',
        code: 'fetch_timeout',
      })
    }
  })

  test('an aborted call throws the reason of the abort', async () => {
    const stop = new AbortController()
    const { origin } = await serve(() => stop.abort(new Error('cancelled by the user')))
    const context = { ...contextWith({}, [origin]), signal: stop.signal }
    await expect(createFetchUrl().run({ url: origin }, context)).rejects.toThrow('cancelled by the user')
  })

  test("a pause until a date counts by the server's own clock, and is a day at most", async () => {
    const date = 'Fri, 01 Jan 2100 00:00:00 GMT'
    const { origin } = await serve((request, response) => {
      const until = request.url === '/soon' ? 'Fri, 01 Jan 2100 00:00:09 GMT' : 'Fri, 01 Jan 2200 00:00:00 GMT'
      response.writeHead(503, { date, 'retry-after': until }).end()
    })
    await expect(fetchUrl(`${origin}/soon`, [origin])).rejects.toMatchObject({ retryAfterMs: 9000 })
    await expect(fetchUrl(`${origin}/never`, [origin])).rejects.toMatchObject({ retryAfterMs: 86_400_000 })
  })

  test('statuses are told apart: 404 stays, 503 may pass', async () => {
    const { origin } = await serve((request, response) => {
      response.writeHead(Number(request.url?.slice(1)), { 'retry-after': '7' }).end()
    })
    await expect(fetchUrl(`${origin}/404`, [origin])).rejects.toMatchObject({
      name: 'TerminalError',
      code: 'http_status',
      message: `${origin}/404 answered 404 Not Found`,
    })
    await expect(fetchUrl(`${origin}/503`, [origin])).rejects.toMatchObject({
      name: 'RetryableError',
      retryAfterMs: 7000,
    })
  })

  test('a refused connection may pass', async () => {
    const { origin, stop } = await serve(respond('x'))
    await stop()
    await expect(fetchUrl(origin, [origin])).rejects.toMatchObject({
      name: 'RetryableError',
      code: 'fetch_failed',
      message: expect.stringContaining('ECONNREFUSED'),
    })
  })

  test('proxy variables are not followed', async () => {
    const { origin, requests } = await serve(respond('direct'))
    const proxy = await serve(respond('through the proxy'))
    for (const name of ['HTTP_PROXY', 'http_proxy', 'ALL_PROXY']) vi.stubEnv(name, proxy.origin)
    vi.stubEnv('NODE_USE_ENV_PROXY', '1')
    expect(await fetchUrl(origin, [origin], { connect: undefined })).toContain('direct')
    expect([requests.length, proxy.requests.length]).toEqual([1, 0])
  })
})

describe('redirects', () => {
  test('are followed, and the last address is the one that is shown', async () => {
    const { origin } = await serve((request, response) =>
      (request.url === '/a' ? redirect('../b?c=1') : respond('here'))(request, response),
    )
    expect(await fetchUrl(`${origin}/a`, [origin])).toBe(`URL: ${origin}/b?c=1\n\nhere`)
  })

  test('five are followed and six are not', async () => {
    const { origin, requests } = await serve((request, response) => {
      const left = Number(request.url?.slice(1))
      const answer = left === 0 ? respond('arrived') : redirect(`/${left - 1}`)
      answer(request, response)
    })
    expect(await fetchUrl(`${origin}/5`, [origin])).toContain('arrived')
    requests.length = 0
    await expect(fetchUrl(`${origin}/6`, [origin])).rejects.toMatchObject({ code: 'too_many_redirects' })
    expect(requests).toHaveLength(6)
  })

  test.each([
    'http://10.0.0.1/',
    'http://169.254.169.254/latest/meta-data/',
    'http://[::ffff:7f00:1]/',
    'file:///etc/passwd',
    'http://user:secret@example.com/',
    'http://2130706433/',
    'http://',
  ])('one to %s is refused, by name of both', async (target) => {
    const { origin } = await serve(redirect(target))
    await expect(fetchUrl(origin, ['*', origin])).rejects.toMatchObject({
      name: 'TerminalError',
      code: expect.stringMatching(/^(address_denied|invalid_url)$/),
      message: expect.stringContaining(`${origin} redirects to `),
    })
  })

  test('one to an origin outside the list is refused before anything connects', async () => {
    const other = await serve(respond('secret'))
    const { origin } = await serve(redirect(other.origin))
    await expect(fetchUrl(origin, [origin])).rejects.toMatchObject({ code: 'egress_denied' })
    expect(other.requests).toHaveLength(0)
  })
})

describe('names', () => {
  test('a public name connects to exactly the addresses that were checked', async () => {
    const { port, requests } = await serve(respond('public'))
    const network = fakeNetwork(port, { 'example.com': [['93.184.216.34', '2606:4700::1111']] })
    expect(await fetchUrl('http://example.com/x', ['*'], network.dependencies)).toBe(
      'URL: http://example.com/x\n\npublic',
    )
    expect(network.connections).toEqual(['93.184.216.34,2606:4700::1111'])
    expect(requests[0]?.headers).toMatchObject({ host: 'example.com', 'user-agent': 'taskforce' })
    expect(requests[0]?.headers).not.toHaveProperty('authorization')
  })

  test.each(REFUSED_NAMES)('a name for %s is refused, even when it is listed', async (_what, addresses) => {
    const { port } = await serve(respond('secret'))
    const network = fakeNetwork(port, { 'rebind.example': [addresses] })
    for (const allow of [['*'], ['http://rebind.example']]) {
      await expect(fetchUrl('http://rebind.example/', allow, network.dependencies)).rejects.toMatchObject({
        name: 'TerminalError',
        code: 'address_denied',
        message: expect.stringMatching(/^rebind\.example is refused: /),
      })
    }
    expect(network.connections).toEqual([])
  })

  test('a name that turns private between check and connect is looked up once only', async () => {
    const { port } = await serve(respond('public'))
    const network = fakeNetwork(port, { 'flip.example': [['93.184.216.34'], ['127.0.0.1']] })
    expect(await fetchUrl('http://flip.example/', ['*'], network.dependencies)).toContain('public')
    expect([network.lookups, network.connections]).toEqual([['flip.example'], ['93.184.216.34']])
  })

  test('a name that turns private before a redirect to itself is refused there', async () => {
    const { port } = await serve(redirect('/again'))
    const network = fakeNetwork(port, { 'flip.example': [['93.184.216.34'], ['127.0.0.1']] })
    await expect(fetchUrl('http://flip.example/', ['*'], network.dependencies)).rejects.toMatchObject({
      code: 'address_denied',
    })
    expect(network.connections).toEqual(['93.184.216.34'])
  })

  test('localhost that is listed reaches loopback through the connector of production', async () => {
    const { port } = await serve(respond('home'))
    const url = `http://localhost:${port}`
    const resolve = () => Promise.resolve([{ address: '127.0.0.1', family: 4 }])
    expect(await fetchUrl(url, [url], { resolve, connect: undefined })).toContain('home')
  })

  test('localhost that is listed and resolves elsewhere is refused', async () => {
    const { port } = await serve(respond('home'))
    const network = fakeNetwork(port, { localhost: [['10.0.0.1']] })
    const refused = fetchUrl(`http://localhost:${port}`, [`http://localhost:${port}`], network.dependencies)
    await expect(refused).rejects.toMatchObject({ code: 'address_denied' })
    expect(network.connections).toEqual([])
  })

  test('a name that does not exist stays so, and a resolver in trouble may recover', async () => {
    const failing = (code: string): EgressDependencies => ({
      connect: undefined,
      resolve: () => Promise.reject(Object.assign(new Error(code), { code })),
    })
    await expect(fetchUrl('http://a.example/', ['*'], failing('ENOTFOUND'))).rejects.toMatchObject({
      name: 'TerminalError',
      code: 'host_not_found',
    })
    await expect(fetchUrl('http://a.example/', ['*'], failing('EAI_AGAIN'))).rejects.toMatchObject({
      name: 'RetryableError',
      code: 'dns_failed',
    })
  })
})
