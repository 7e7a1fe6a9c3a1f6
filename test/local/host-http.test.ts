import { randomUUID } from 'node:crypto'
import http from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isAlive, logged, runFixture, stopHosts, type TestHost } from './host/run-host.ts'

let host: TestHost
beforeAll(async () => {
  host = await runFixture('web', { maxBodyBytes: 32 * 2 ** 20 })
}, 60_000)
afterAll(stopHosts)

type Answer = { status: number; headers: http.IncomingHttpHeaders; body: string }

/** fetch may not set Host; this may. */
function raw(path: string, headers: http.OutgoingHttpHeaders, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = http.request(
      { host: '127.0.0.1', port: host.port, path, headers, method, agent: false },
      (response) => {
        let body = ''
        response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk))
        response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }))
        response.on('error', reject)
      },
    )
    request.on('error', reject).end()
  })
}

describe('what a handler sees', () => {
  test('url, method, params, query and headers are those of the request', async () => {
    const id = randomUUID()
    const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`
    const response = await fetch(`${host.url}/Echo/${id}?x=1&x=2`, { headers: { 'X-Mine': 'yes', traceparent } })
    expect(response.status).toBe(200)
    expect(response.headers.get('x-hook')).toBe('before')
    const seen = (await response.json()) as Record<string, never>
    expect(seen).toMatchObject({ method: 'GET', url: `${host.url}/Echo/${id}?x=1&x=2`, params: { id, x: '1,2' } })
    expect(seen.headers).toMatchObject({ 'x-mine': 'yes', host: `localhost:${host.port}` })
    expect(seen.traceParent).toContain('a'.repeat(32))
    expect(seen.traceParent).not.toContain('b'.repeat(16))
  })

  test("a client's own x-ms-invocation-id reaches neither the handler nor the library", async () => {
    const response = await fetch(`${host.url}/echo/${randomUUID()}`, { headers: { 'x-ms-invocation-id': 'forged' } })
    const seen = (await response.json()) as { headers: Record<string, string> }
    expect(seen.headers).not.toHaveProperty('x-ms-invocation-id')
    expect(response.headers.get('x-ms-invocation-id')).not.toBe('forged')
  })

  test('a query key named headers empties request.headers, as it does on Azure', async () => {
    const response = await fetch(`${host.url}/echo/${randomUUID()}?Headers=x`, {
      headers: { authorization: 'Bearer k' },
    })
    expect(((await response.json()) as { headers: object }).headers).toEqual({})
  })

  test('its working directory is the folder of host.json', async () => {
    const response = await fetch(`${host.url}/directory`)
    expect(await response.json()).toMatchObject({ cwd: host.folder })
  })

  test('what it logs arrives with level, category and invocation', async () => {
    await fetch(`${host.url}/echo/${randomUUID()}`)
    expect(await logged(host, 'echoing')).toMatchObject({ level: 'warning', category: 'Function.echo.User' })
  })
})

describe('routes', () => {
  test('a value that fails its constraint, a path without a function and another method are 404 with no body', async () => {
    const asked = ['/echo/not-a-guid', '/no/such/path'].map((path) => fetch(host.url + path))
    asked.push(fetch(`${host.url}/files/x`, { method: 'PUT' }))
    for (const response of await Promise.all(asked)) {
      expect(response.status).toBe(404)
      expect(await response.text()).toBe('')
    }
  })

  test('a catch-all takes the rest of the path, decoded', async () => {
    const response = await fetch(`${host.url}/one/two%20three/four`, { method: 'PATCH' })
    expect(await response.json()).toEqual({ rest: 'one/two three/four' })
  })

  test('functions that can not run are named with their reason and the others run', async () => {
    expect(host.functions.map((one) => one.name)).not.toContain('unset')
    expect((await logged(host, "'unset'")).message).toContain('NO_SUCH_SETTING is not set')
    expect((await logged(host, "'admin-thing'")).message).toContain('keeps for itself')
  })
})

describe('bodies', () => {
  test('a stream arrives piece by piece while the function still runs', async () => {
    const response = await fetch(`${host.url}/stream`)
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    const pieces: string[] = []
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      pieces.push(chunk)
      await fetch(`${host.url}/next`)
    }
    expect(pieces).toEqual(['data: 1\n\n', 'data: 2\n\n', 'data: 3\n\n'])
  })

  test('an upload of some megabytes arrives whole, with and without a length', async () => {
    const body = Buffer.alloc(5_000_000, 'x')
    const whole = await fetch(`${host.url}/count`, { method: 'POST', body })
    expect(await whole.json()).toEqual({ bytes: body.length })
    const chunked = await fetch(`${host.url}/count`, {
      method: 'DELETE',
      body: new Blob([body]).stream(),
      duplex: 'half',
    })
    expect(await chunked.json()).toEqual({ bytes: body.length })
  })

  test('an answer that comes before the upload was read reaches the client', async () => {
    for (let attempt = 0; attempt < 20; attempt++) {
      const response = await fetch(`${host.url}/refuse`, { method: 'POST', body: Buffer.alloc(30_000_000) })
      expect([response.status, await response.text()]).toEqual([413, 'too much for me'])
    }
  })

  test("a body over the platform's limit is 413", async () => {
    const { status } = await raw('/count', { host: `localhost:${host.port}`, 'content-length': 33 * 2 ** 20 }, 'POST')
    expect(status).toBe(413)
  })

  test('several cookies stay several headers', async () => {
    const response = await fetch(`${host.url}/cookies`)
    expect(response.headers.getSetCookie()).toEqual(['one=1', 'two=2; HttpOnly'])
  })

  test('a stream that breaks in the middle cuts the connection', async () => {
    const response = await fetch(`${host.url}/broken-stream`)
    await expect(response.text()).rejects.toThrow('terminated')
  })
})

describe('foreign callers', () => {
  test('a foreign Host is refused, so DNS rebinding fails', async () => {
    const refused = await raw('/directory', { host: `attacker.example:${host.port}` })
    expect([refused.status, JSON.parse(refused.body)]).toEqual([
      421,
      { error: expect.stringContaining('attacker.example') },
    ])
    expect((await raw('/directory', { host: 'localhost:1' })).status).toBe(421)
    expect((await raw('/directory', { host: `[::1]:${host.port}` })).status).toBe(200)
  })

  test('a foreign Origin is refused and the own one is not', async () => {
    const asked = ['http://attacker.example', 'null', `https://localhost:${host.port}`, host.url].map((origin) =>
      fetch(`${host.url}/directory`, { headers: { origin } }),
    )
    expect((await Promise.all(asked)).map((response) => response.status)).toEqual([403, 403, 403, 200])
  })
})

test("the worker's servers listen on 127.0.0.1 only, the app's own included", async () => {
  const addresses = (await (await fetch(`${host.url}/listeners`)).json()) as { address: string }[]
  expect(addresses.map((one) => one.address)).toEqual(['127.0.0.1', '127.0.0.1'])
})

describe('handlers that fail', () => {
  test('a handler that throws is answered 500 with its message, and its stack is in the log', async () => {
    const response = await fetch(`${host.url}/throw`)
    expect(response.status).toBe(500)
    expect(await response.json()).toEqual({ error: expect.stringContaining('the handler is broken') })
    expect((await logged(host, /Executed 'throw' \(Failed[^]*at /)).level).toBe('error')
  })

  test('a handler that returns nothing is answered 500', async () => {
    const response = await fetch(`${host.url}/nothing`)
    expect([response.status, await response.json()]).toEqual([
      500,
      { error: expect.stringContaining('returned nothing') },
    ])
  })

  test.each(['exit', 'crash'])(
    'a worker that ends (%s) gives 502, and a new one serves the next request',
    async (path) => {
      const before = await host.workerPid()
      const broken = await fetch(`${host.url}/${path}`)
      expect([broken.status, await broken.json()]).toEqual([502, { error: expect.stringMatching(/worker ended/) }])
      const next = await fetch(`${host.url}/directory`)
      expect(next.status).toBe(200)
      expect(await next.json()).not.toMatchObject({ pid: before })
      expect(isAlive(before)).toBe(false)
    },
  )
})
