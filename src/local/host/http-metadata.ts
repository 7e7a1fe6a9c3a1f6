import type { IncomingMessage } from 'node:http'
import type { TypedData } from './protocol.ts'

/** Path and query of a request in origin form; null for a proxy's absolute form and for `*`. */
export function splitTarget(request: IncomingMessage): { path: string; query: URLSearchParams } | null {
  const target = request.url ?? ''
  if (!target.startsWith('/')) return null
  const at = target.indexOf('?')
  return at === -1
    ? { path: target, query: new URLSearchParams() }
    : { path: target.slice(0, at), query: new URLSearchParams(target.slice(at + 1)) }
}

/** The client's headers without the invocation id, which only the host may give: one dictionary, lists joined. */
export function headerDictionary(request: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined && name !== 'x-ms-invocation-id')
      headers[name] = Array.isArray(value) ? value.join(', ') : value
  }
  return headers
}

/** Query values by name; repeated ones joined by a comma, as .NET's StringValues does. */
export function queryDictionary(query: URLSearchParams): Record<string, string> {
  return Object.fromEntries([...new Set(query.keys())].map((name) => [name, query.getAll(name).join(',')]))
}

/**
 * Trigger metadata of an HTTP invocation as HttpTriggerAttributeBindingProvider.cs fills it: one dictionary without regard to case, query
 * first, then the route's values, and Query and Headers only where nothing took their names. So `?Headers=x` empties `request.headers`
 * and `?ID=1` renames the route value `id`, here as on Azure, and an app can be tested against it.
 * The real host reads top-level properties of a JSON body into it first; this one never holds a body.
 */
export function httpMetadata(
  request: IncomingMessage,
  query: URLSearchParams,
  routeValues: Record<string, string>,
): Record<string, TypedData> {
  const values = new Map<string, { key: string; data: TypedData }>()
  const set = (key: string, data: TypedData) => {
    const folded = key.toLowerCase()
    values.set(folded, { key: values.get(folded)?.key ?? key, data })
  }
  const queryValues = queryDictionary(query)
  for (const [key, value] of Object.entries(queryValues)) {
    // `code` is the platform's own: a function key.
    if (key.toLowerCase() !== 'code') set(key, { string: value })
  }
  for (const [key, value] of Object.entries(routeValues)) set(key, { string: value })
  if (!values.has('query')) set('Query', { json: JSON.stringify(queryValues) })
  if (!values.has('headers')) set('Headers', { json: JSON.stringify(headerDictionary(request)) })
  return Object.fromEntries([...values.values()].map(({ key, data }) => [key, data]))
}
