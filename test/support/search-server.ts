import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export type SearchAnswer = (response: ServerResponse) => void

export interface SearchRequest {
  method: string
  /** As it came, still encoded. */
  path: string
  apiVersion: string | null
  headers: IncomingHttpHeaders
  body: Record<string, unknown>
}

export interface SearchServer {
  /** For AZURE_SEARCH_ENDPOINT. */
  url: string
  requests: SearchRequest[]
  /** Answers for the next requests, in order, in place of the index's own. */
  script(...answers: SearchAnswer[]): void
  stop(): Promise<void>
}

export interface SearchDocument {
  [name: string]: unknown
  /** Fields with `@search.` are given out with results only. */
  '@search.score'?: number
}

/**
 * Azure AI Search's REST API on 127.0.0.1, as far as @azure/search-documents 13 uses it to read: a search finds all
 * documents whose JSON holds one of the words, in their order, and a document is found by its key.
 */
export async function startSearchServer(index: {
  name: string
  key: string
  documents: SearchDocument[]
}): Promise<SearchServer> {
  const requests: SearchRequest[] = []
  const answers: SearchAnswer[] = []
  const server = createServer((request, response) => {
    void receive(request).then((received) => {
      requests.push(received)
      const answer = answers.shift() ?? answerFrom(index, received)
      return answer(response)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    script: (...next) => void answers.splice(0, answers.length, ...next),
    async stop() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

export function json(status: number, body?: object, headers: Record<string, string> = {}): SearchAnswer {
  return (response) => {
    const content = body && { 'content-type': 'application/json; odata.metadata=none' }
    response.writeHead(status, { ...content, ...headers }).end(body && JSON.stringify(body))
  }
}

/** A refusal as the service words it. */
export function refusal(status: number, message: string, headers: Record<string, string> = {}): SearchAnswer {
  return json(status, { error: { code: '', message } }, headers)
}

function answerFrom(
  index: { name: string; key: string; documents: SearchDocument[] },
  { method, path, body }: SearchRequest,
): SearchAnswer {
  const [, name, rest] = /^\/indexes\('([^']*)'\)\/docs(.*)$/.exec(path) ?? []
  if (name === undefined) return refusal(404, 'The path is not one of the service.')
  if (decodeURIComponent(name) !== index.name) {
    return refusal(404, `The index '${decodeURIComponent(name)}' for service 'test' was not found.`)
  }
  if (method === 'POST' && rest === '/search.post.search') return json(200, search(index.documents, body))
  const [, key] = /^\('(.*)'\)$/.exec(rest ?? '') ?? []
  const document = index.documents.find((one) => key !== undefined && one[index.key] === decodeURIComponent(key))
  // The service says nothing at all about a document that it has not.
  return document === undefined ? json(404) : json(200, withoutAnnotations(document))
}

function search(documents: SearchDocument[], { search: text, top, count }: Record<string, unknown>): object {
  const words = String(text).toLowerCase().split(/\s+/)
  const found = documents.filter((document) => {
    const content = JSON.stringify(document).toLowerCase()
    return text === '*' || words.some((word) => content.includes(word))
  })
  const value = found.slice(0, Number(top ?? 50)).map((document) => ({ '@search.score': 1, ...document }))
  return { ...(count === true ? { '@odata.count': found.length } : {}), value }
}

function withoutAnnotations(document: SearchDocument): object {
  return Object.fromEntries(Object.entries(document).filter(([name]) => !name.startsWith('@')))
}

async function receive(request: IncomingMessage): Promise<SearchRequest> {
  const parts: Buffer[] = []
  for await (const part of request as AsyncIterable<Buffer>) parts.push(part)
  const [path = '', query] = (request.url ?? '').split('?')
  return {
    method: request.method ?? '',
    path,
    apiVersion: new URLSearchParams(query).get('api-version'),
    headers: request.headers,
    body: JSON.parse(Buffer.concat(parts).toString() || '{}') as Record<string, unknown>,
  }
}
