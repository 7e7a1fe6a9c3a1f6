import { createHash, timingSafeEqual } from 'node:crypto'
import { DEFAULT_TENANT, type Caller } from '../missions/context.ts'
import { Refusal } from '../missions/refusal.ts'
import type { ApiRequest } from './http.ts'

export interface AuthSettings {
  mode: 'keys' | 'off'
  apiKey: string | undefined
}

/** @throws Refusal `unauthenticated` without a valid `Authorization: Bearer` key. */
export function authenticate(request: ApiRequest, settings: AuthSettings): Caller {
  if (settings.mode === 'off') return { tenantId: DEFAULT_TENANT, name: 'local' }
  if (hasKey(request, settings.apiKey)) return { tenantId: DEFAULT_TENANT, name: 'api-key' }
  throw new Refusal('unauthenticated', 'Send the deployment\'s key as "Authorization: Bearer KEY".')
}

/** Compares hashes of equal length in constant time, so that the answer's time tells nothing of the key. */
export function hasKey(request: ApiRequest, apiKey: string | undefined): boolean {
  if (replacesHeaders(request)) return false
  const given = /^Bearer +(\S+)$/i.exec(request.headers.get('authorization') ?? '')?.[1]
  if (given === undefined || apiKey === undefined) return false
  return timingSafeEqual(sha256(given), sha256(apiKey))
}

/**
 * The Functions host takes a query parameter called `headers`, in any spelling, for the headers of the request. A key in an
 * address would end in logs and histories, so there is no way to send one.
 */
function replacesHeaders(request: ApiRequest): boolean {
  return [...new URL(request.url).searchParams.keys()].some((name) => name.toLowerCase() === 'headers')
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
