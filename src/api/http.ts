import { noSuchMission } from '../missions/refusal.ts'

/** What an endpoint sees of a request: a part of the web's Request that the Functions library's HttpRequest has too. */
export interface ApiRequest {
  method: string
  url: string
  headers: { get(name: string): string | null }
  body: AsyncIterable<Uint8Array> | null
  /** Bytes of the answer that left the app and that the client did not take yet; only where the host lets it be known. */
  unread?(): number
  /** Calls once nobody reads the answer any more, at once where that is so already; only where the host lets it be known. */
  onClose?(listener: () => void): void
}

export interface ApiResponse {
  status: number
  headers: Record<string, string>
  body?: string | Uint8Array | ReadableStream<Uint8Array>
}

/** The seed's headers, and `no-store`: everything here is one caller's own. Set once, by the app alone. */
const EVERY_RESPONSE = {
  'strict-transport-security': 'max-age=31536000',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'cache-control': 'no-store',
}

export function json(status: number, body: unknown, headers: Record<string, string> = {}): ApiResponse {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) }
}

export function withCommonHeaders(response: ApiResponse): ApiResponse {
  return { ...response, headers: { ...EVERY_RESPONSE, ...response.headers } }
}

/** The path's parts after `/api/v1/missions/`, decoded. The library's `params` also hold values of the query and the body. */
export function pathAfterMissions(request: ApiRequest): string[] {
  const { pathname } = new URL(request.url)
  const parts = pathname.split('/').slice(4)
  return parts.map(decodeOrKeep)
}

/**
 * The mission's id in the form that links have. The route's `:guid` constraint is .NET's and also takes braces, parentheses
 * and bare digits.
 * @throws Refusal `not_found` for what is no id after all.
 */
export function missionId(request: ApiRequest): string {
  const digits = (pathAfterMissions(request)[0] ?? '').toLowerCase().replaceAll(/[-{}()]/g, '')
  if (!/^[0-9a-f]{32}$/.test(digits)) throw noSuchMission()
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

function decodeOrKeep(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
