import { inspect } from 'node:util'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { SearchConfig } from '../../src/config/config.ts'
import { createTools } from '../../src/tools/registry.ts'
import type { SearchDependencies } from '../../src/tools/search/index-client.ts'
import type { Tool, ToolResult } from '../../src/tools/tool.ts'
import { json, refusal, startSearchServer, type SearchAnswer, type SearchServer } from '../support/search-server.ts'
import { contextWith } from './context.ts'

const API_KEY = 'query-key-1234567890'
const STRANGE_KEY = "a/b c'd?ü%2F=.."

const documents = [
  {
    chunk_id: 'doc-1',
    parent_id: 'p',
    title: 'Travel policy',
    chunk: 'Trains are booked in second class.',
    url: 'https://intra.example/travel',
    year: 2024,
    tags: ['travel', 'policy'],
    text_vector: Array.from({ length: 4 }, () => 0.5),
    hidden: Array.from({ length: 64 }, () => 0.25),
    owner: { name: 'Ada', faces: Array.from({ length: 64 }, () => 0.125) },
    updated: '2024-05-01T00:00:00Z',
    nothing: null,
  },
  { chunk_id: 'doc-2', parent_id: 'p', title: 'Hotel policy', chunk: 'Hotels up to 150 euros.', year: 2023, tags: [] },
  { chunk_id: STRANGE_KEY, parent_id: 'p', title: 'Odd', chunk: 'An odd key.', year: 2020 },
  { chunk_id: 'long', parent_id: 'q', title: 'Long', chunk: `${'ä'.repeat(25_000)}END`, notes: 'n'.repeat(1000) },
]

let server: SearchServer

beforeAll(async () => {
  server = await startSearchServer({ name: 'handbook', key: 'chunk_id', documents })
})
beforeEach(() => {
  server.requests.length = 0
  server.script()
})
afterAll(() => server.stop())

function toolsWith(config: Partial<SearchConfig> = {}, more: Partial<SearchDependencies> = {}) {
  const base = { endpoint: server.url, index: 'handbook', vectorFields: [], semanticConfiguration: undefined }
  return createTools({ search: { config: { ...base, ...config }, apiKey: API_KEY, ...more } })
}

function run(
  name: string,
  args: object,
  tools: Map<string, Tool> = toolsWith(),
  signal = new AbortController().signal,
): Promise<ToolResult> {
  const tool = tools.get(name) as Tool
  return tool.run(tool.input.parse(args), { ...contextWith(), signal })
}

interface Results {
  total?: number
  note?: string
  results: { id?: string; fields?: Record<string, unknown>; [name: string]: unknown }[]
}

async function search(args: object, tools?: Map<string, Tool>): Promise<Results> {
  return JSON.parse((await run('search_documents', args, tools)).text) as Results
}

describe('search_documents', () => {
  test('finds documents by words, with what an answer needs to cite them', async () => {
    const { text, sources } = await run('search_documents', { query: 'trains', top: 3 })
    expect(JSON.parse(text)).toEqual({
      total: 1,
      results: [
        {
          id: 'doc-1',
          score: 1,
          title: 'Travel policy',
          url: 'https://intra.example/travel',
          excerpt: 'Trains are booked in second class.',
          fields: {
            parent_id: 'p',
            year: 2024,
            tags: ['travel', 'policy'],
            text_vector: [0.5, 0.5, 0.5, 0.5],
            owner: { name: 'Ada' },
            updated: '2024-05-01T00:00:00.000Z',
          },
        },
      ],
    })
    expect(sources).toEqual([{ id: 'doc-1', title: 'Travel policy', url: 'https://intra.example/travel' }])
    expect(server.requests).toMatchObject([
      {
        method: 'POST',
        path: "/indexes('handbook')/docs/search.post.search",
        apiVersion: '2026-04-01',
        headers: { 'api-key': API_KEY, 'user-agent': expect.stringContaining('taskforce') },
      },
    ])
    expect(server.requests[0]?.body).toEqual({ search: 'trains', top: 3, count: true, select: '*' })
  })

  test('is hybrid where the index has vector fields, and those are not shown', async () => {
    const tools = toolsWith({ vectorFields: ['text_vector', 'title_vector'] })
    const { results } = await search({ query: 'trains' }, tools)
    expect(results[0]?.fields).not.toHaveProperty('text_vector')
    expect(server.requests[0]?.body).toMatchObject({
      search: 'trains',
      top: 5,
      vectorQueries: [{ kind: 'text', text: 'trains', fields: 'text_vector,title_vector', k: 50 }],
    })
  })

  test('ranks by meaning where there is a semantic configuration', async () => {
    server.script(
      json(200, {
        value: [
          {
            chunk_id: 'doc-9',
            chunk: 'All of it.',
            '@search.score': 0.03333333,
            '@search.rerankerScore': 2.34567,
            '@search.captions': [{ text: 'The passage.', highlights: '' }, { text: 'Another.' }],
          },
        ],
      }),
    )
    const { results } = await search({ query: 'trains' }, toolsWith({ semanticConfiguration: 'default' }))
    expect(results).toEqual([{ id: 'doc-9', score: 2.346, caption: 'The passage. … Another.', excerpt: 'All of it.' }])
    expect(server.requests[0]?.body).toMatchObject({
      search: 'trains',
      queryType: 'semantic',
      semanticConfiguration: 'default',
      captions: 'extractive|highlight-false',
    })
  })

  test('"*" asks for all, with nothing to rank by', async () => {
    const tools = toolsWith({ vectorFields: ['text_vector'], semanticConfiguration: 'default' })
    expect((await search({ query: '*', top: 2 }, tools)).total).toBe(4)
    expect(server.requests[0]?.body).toEqual({ search: '*', top: 2, count: true, select: '*' })
  })

  test('passes a filter on, and the sentence that refuses it back', async () => {
    const filter = "year ge 2024 and tags/any(t: t eq 'travel')"
    await search({ query: 'policy', filter })
    expect(server.requests[0]?.body).toMatchObject({ filter })

    const sentence = "Invalid expression: Could not find a property named 'yaer' on type 'search.document'."
    server.script(refusal(400, `${sentence} Key ${API_KEY}. ${'x'.repeat(2000)}`))
    const failure = run('search_documents', { query: 'policy', filter: 'yaer eq 1' })
    await expect(failure).rejects.toMatchObject({ name: 'TerminalError', code: 'bad_query' })
    const error = await failure.catch((caught: Error) => caught)
    expect(error).toMatchObject({ message: expect.stringContaining(`${sentence} Key (key).`) })
    expect((error as Error).message.length).toBeLessThan(600)
  })

  test('nothing found is said', async () => {
    expect(await search({ query: 'zebra' })).toEqual({
      total: 0,
      results: [],
      note: 'Nothing was found. Try other or fewer words, or no filter.',
    })
  })

  test('cuts long texts and says how to read them', async () => {
    const { results, note } = await search({ query: 'END' })
    expect(results[0]).toMatchObject({ id: 'long', fields: { notes: `${'n'.repeat(300)}…` } })
    expect(results[0]?.excerpt).toBe(`${'ä'.repeat(1500)}…`)
    expect(note).toContain('get_document reads a document whole')
  })

  test('the largest answers stay whole JSON below the output limit', async () => {
    const large = Array.from({ length: 20 }, (_, index) => ({
      '@search.score': 1,
      id: `d${index}`,
      content: '中'.repeat(100_000),
      ...Object.fromEntries(Array.from({ length: 40 }, (_field, n) => [`field${n}`, '中'.repeat(5000)])),
    }))
    server.script(json(200, { '@odata.count': 20, value: large }))
    const { text, sources } = await run('search_documents', { query: 'x', top: 20 })
    expect(Buffer.byteLength(text)).toBeLessThan(65_536)
    const { results, note } = JSON.parse(text) as Results
    expect(results.length).toBeGreaterThan(3)
    expect(results[0]).toMatchObject({ leftOut: expect.arrayContaining(['field39']) })
    expect(sources).toHaveLength(results.length)
    expect(note).toMatch(new RegExp(`^${20 - results.length} more did not fit`))
  })

  test('takes one page, and no more than it asked for', async () => {
    const value = documents.map((document) => ({ '@search.score': 1, ...document }))
    const next = { '@odata.nextLink': `${server.url}/next`, '@search.nextPageParameters': { search: 'x', skip: 4 } }
    server.script(json(200, { value, ...next }))
    expect((await search({ query: 'policy', top: 4 })).results).toHaveLength(4)
    server.script(json(200, { value, ...next }))
    expect((await search({ query: 'policy', top: 2 })).results).toHaveLength(2)
    expect(server.requests).toHaveLength(2)
  })

  test.each([
    [
      [
        { HotelId: '1', HotelName: 'A' },
        { HotelId: '2', HotelName: 'A' },
      ],
      ['1', '2'],
    ],
    [[{ title: 'A', id: 'x', key: 'y' }], ['x']],
    [[{ parent_id: 'p', page_id: 'p_1' }], ['p_1']],
    [[{ parent_id: 'p', chunk_id: 'p_1' }], ['p_1']],
    [
      [
        { parent_id: 'p', page_id: 'p_1' },
        { parent_id: 'p', page_id: 'p_2' },
      ],
      ['p_1', 'p_2'],
    ],
    [
      [
        { category: 'c', words: 'two words', ref: 'r1' },
        { category: 'c', words: 'or three', ref: 'r2' },
      ],
      ['r1', 'r2'],
    ],
    [[{ year: 1, name: 'only text' }], ['only text']],
    [[{ year: 1 }], [undefined]],
  ])('finds the key of %j', async (value, ids) => {
    server.script(json(200, { value: value.map((document) => ({ '@search.score': 1, ...document })) }))
    expect((await search({ query: 'x' })).results.map(({ id }) => id)).toEqual(ids)
  })

  test('takes the key that is configured, also where one result looks as if it had another', async () => {
    const value = [{ '@search.score': 1, Category: 'Budget', HotelCode: 'h-1', Name: 'A b' }]
    server.script(json(200, { value }), json(200, { value }))
    expect((await search({ query: 'x' })).results[0]?.id).toBe('Budget')
    const { text, sources } = await run('search_documents', { query: 'x' }, toolsWith({ keyField: 'HotelCode' }))
    expect(JSON.parse(text)).toMatchObject({ results: [{ id: 'h-1' }] })
    expect(sources).toMatchObject([{ id: 'h-1' }])
  })

  test('says that what is configured is no key of the index', async () => {
    server.script(json(200, { value: [{ '@search.score': 1, HotelId: '1' }] }))
    const asked = run('search_documents', { query: 'x' }, toolsWith({ keyField: 'hotelid' }))
    await expect(asked).rejects.toMatchObject({
      name: 'TerminalError',
      code: 'search_misconfigured',
      message: expect.stringContaining('AZURE_SEARCH_KEY_FIELD is "hotelid"'),
    })
    expect(await search({ query: 'zebra' }, toolsWith({ keyField: 'hotelid' }))).toMatchObject({ total: 0 })
  })

  test.each([
    [{}],
    [{ query: '' }],
    [{ query: 'x'.repeat(1001) }],
    [{ query: 'x', top: 0 }],
    [{ query: 'x', top: 21 }],
    [{ query: 'x', select: 'title' }],
  ])('does not take %j', (args) => {
    expect(toolsWith().get('search_documents')?.input.safeParse(args).success).toBe(false)
  })
})

describe('get_document', () => {
  test('reads all fields but vectors', async () => {
    const { text, sources } = await run('get_document', { id: 'doc-1' }, toolsWith({ vectorFields: ['text_vector'] }))
    expect(text).toBe(
      [
        'chunk_id: doc-1',
        'parent_id: p',
        'title: Travel policy',
        'chunk: Trains are booked in second class.',
        'url: https://intra.example/travel',
        'year: 2024',
        'tags: ["travel","policy"]',
        'owner: {"name":"Ada"}',
        'updated: 2024-05-01T00:00:00.000Z',
        'nothing: null',
      ].join('\n'),
    )
    expect(sources).toEqual([{ id: 'doc-1', title: 'Travel policy', url: 'https://intra.example/travel' }])
    expect(server.requests).toMatchObject([
      { method: 'GET', path: "/indexes('handbook')/docs('doc-1')", headers: { 'api-key': API_KEY } },
    ])
  })

  test('reads a document whose key has slashes, quotes and spaces', async () => {
    expect((await run('get_document', { id: STRANGE_KEY })).text).toContain('An odd key.')
    expect(server.requests[0]?.path).toBe("/indexes('handbook')/docs('a%2Fb%20c%27d%3F%C3%BC%252F%3D..')")
  })

  test('a long one is read on to its end', async () => {
    let text = ''
    let offset: number | undefined = 1
    while (offset !== undefined) {
      const part: string = (await run('get_document', { id: 'long', offset })).text
      expect(Buffer.byteLength(part)).toBeLessThan(65_536)
      const [note, next]: string[] = /\n\[characters \d+-\d+ of \d+; read on with get_document (.*)\]$/.exec(part) ?? []
      text += note ? part.slice(0, -note.length) : part
      offset = next === undefined ? undefined : (JSON.parse(next) as { offset: number }).offset
    }
    expect(text).toMatch(/^chunk_id: long\nparent_id: q\ntitle: Long\n\nchunk:\nä{25000}END\n\nnotes:\nn{1000}$/)
    expect(server.requests).toHaveLength(2)
    await expect(run('get_document', { id: 'long', offset: 30_000 })).rejects.toMatchObject({ code: 'past_end' })
  })

  test('says which document is not there, and which index', async () => {
    await expect(run('get_document', { id: 'doc-7' })).rejects.toMatchObject({
      name: 'TerminalError',
      code: 'document_not_found',
      message: 'There is no document with the id "doc-7".',
    })
    await expect(run('get_document', { id: 'doc-1' }, toolsWith({ index: 'other' }))).rejects.toMatchObject({
      name: 'TerminalError',
      code: 'index_not_found',
      message: 'The search service has no index "other".',
    })
    await expect(run('search_documents', { query: 'x' }, toolsWith({ index: 'other' }))).rejects.toMatchObject({
      code: 'index_not_found',
    })
  })

  test.each([[{}], [{ id: '' }], [{ id: 'x', offset: 0 }], [{ id: 'x', select: 'y' }]])('does not take %j', (args) => {
    expect(toolsWith().get('get_document')?.input.safeParse(args).success).toBe(false)
  })
})

const CALLS = [
  ['search_documents', { query: 'trains' }],
  ['get_document', { id: 'doc-1' }],
] as const

describe.each(CALLS)('when the service fails, %s', (name, args) => {
  test.each([401, 403])('%i: says what the operator has to set, and not the key', async (status) => {
    server.script(refusal(status, `Access denied for ${API_KEY}`), json(status))
    for (const _body of ['with', 'without']) {
      const error = await run(name, args).catch((caught: unknown) => caught)
      expect(error).toMatchObject({
        name: 'TerminalError',
        code: 'search_not_allowed',
        message: expect.stringContaining(`the index "handbook" (${status})`),
        hint: expect.stringMatching(/AZURE_SEARCH_API_KEY.*Search Index Data Reader/),
      })
      expect(inspect(error, { depth: 10, showHidden: true })).not.toContain(API_KEY)
    }
  })

  test('429 and 503: may pass, after the pause that it asks for, and the SDK asks once only', async () => {
    const dates = { date: 'Fri, 01 Jan 2100 00:00:00 GMT', 'retry-after': 'Fri, 01 Jan 2100 00:00:07 GMT' }
    for (const headers of [{ 'retry-after': '7' }, dates]) {
      server.script(refusal(429, 'slow down', headers))
      await expect(run(name, args)).rejects.toMatchObject({
        name: 'RetryableError',
        code: 'search_busy',
        retryAfterMs: 7000,
      })
    }
    server.script((response) => response.writeHead(503, { 'content-type': 'text/html' }).end('<h1>busy'))
    await expect(run(name, args)).rejects.toMatchObject({ name: 'RetryableError', code: 'search_busy' })
    expect(server.requests).toHaveLength(3)
  })

  test('another status ends it', async () => {
    server.script(json(405))
    await expect(run(name, args)).rejects.toMatchObject({ name: 'TerminalError', code: 'search_failed' })
  })

  test('an answer that is no JSON may pass', async () => {
    server.script((response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{"value": ['))
    await expect(run(name, args)).rejects.toMatchObject({ name: 'RetryableError', code: 'search_bad_answer' })
  })

  test('a refused or broken connection may pass', async () => {
    server.script((response) => void response.socket?.resetAndDestroy())
    await expect(run(name, args)).rejects.toMatchObject({ name: 'RetryableError', code: 'search_unreachable' })
    const gone = await startSearchServer({ name: 'handbook', key: 'id', documents: [] })
    await gone.stop()
    const error = await run(name, args, toolsWith({ endpoint: gone.url })).catch((caught: unknown) => caught)
    expect(error).toMatchObject({
      name: 'RetryableError',
      code: 'search_unreachable',
      message: expect.stringContaining('ECONNREFUSED'),
    })
    expect(inspect(error, { depth: 10, showHidden: true })).not.toContain(API_KEY)
  })

  test('an answer that never comes, or never ends, may pass', async () => {
    const endless: SearchAnswer = (response) =>
      void response.writeHead(200, { 'content-type': 'application/json' }).write('{')
    for (const answer of [() => undefined, endless]) {
      server.script(answer)
      await expect(run(name, args, toolsWith({}, { timeoutMs: 100 }))).rejects.toMatchObject({
        name: 'RetryableError',
        code: 'search_timeout',
      })
    }
  })

  test('an aborted call throws the reason of the abort', async () => {
    const stop = new AbortController()
    server.script(() => stop.abort(new Error('cancelled by the user')))
    await expect(run(name, args, toolsWith(), stop.signal)).rejects.toThrow('cancelled by the user')
  })
})

describe('the connection', () => {
  test('with a key, Entra ID is not asked', async () => {
    const credential = () => Promise.reject(new Error('Entra ID was asked'))
    expect((await search({ query: 'trains' }, toolsWith({}, { credential }))).total).toBe(1)
  })

  test.each([
    ['an identity endpoint that is not there yet may pass', 'network unreachable', 'RetryableError', ''],
    ['a refusal stays', 'AADSTS7000215: tenant 1234 has another secret', 'TerminalError', ' (AADSTS7000215)'],
    ['nobody signed in stays', "Please run 'az login' as ada@example.com", 'TerminalError', ''],
  ])('without a key it is: %s', async (_what, sentence, name, reason) => {
    const error = Object.assign(new Error(sentence), { name: 'CredentialUnavailableError' })
    const tools = toolsWith({}, { apiKey: undefined, credential: () => Promise.reject(error) })
    const failure = await run('search_documents', { query: 'x' }, tools).catch((caught: unknown) => caught)
    expect(failure).toMatchObject({
      name,
      code: 'search_no_token',
      message: `Entra ID gave no token for the search service at ${new URL(server.url).host}${reason}.`,
    })
    if (name === 'TerminalError')
      expect(failure).toMatchObject({ hint: expect.stringContaining('AZURE_SEARCH_API_KEY') })
  })

  test('without TLS only this machine is talked to', async () => {
    for (const endpoint of ['http://search.example', 'http://127.0.0.1.example', 'http://10.0.0.1', 'http://search']) {
      await expect(run('search_documents', { query: 'x' }, toolsWith({ endpoint }))).rejects.toMatchObject({
        name: 'TerminalError',
        code: 'search_misconfigured',
      })
    }
  })

  test('without configuration there are no such tools', () => {
    const names = [...createTools().keys()]
    expect(names).not.toContain('search_documents')
    expect(names).not.toContain('get_document')
  })
})
