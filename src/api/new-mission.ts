import { createHash } from 'node:crypto'
import type { Created, Idempotency } from '../missions/accept-mission.ts'
import { Refusal } from '../missions/refusal.ts'
import { json, type ApiRequest, type ApiResponse } from './http.ts'

/**
 * 202 with the place of a new mission, or of the one that the same request made before; 200 where it was waited for and has
 * ended.
 * @param waitSeconds what the client preferred to wait at most
 */
export function accepted({ mission, replayed }: Created, waitSeconds?: number): ApiResponse {
  const isDone = waitSeconds !== undefined && mission.endedAt !== undefined
  return json(isDone ? 200 : 202, mission, {
    location: mission.links.self,
    'operation-location': mission.links.self,
    ...(isDone ? {} : { 'retry-after': '2' }),
    ...(waitSeconds === undefined ? {} : { 'preference-applied': `wait=${waitSeconds}` }),
    ...(replayed ? { 'idempotent-replayed': 'true' } : {}),
  })
}

/**
 * The client's key, quoted as the expired draft has it, or bare as most clients send it; undefined where there is none.
 * @param asked what the request asks for, whole
 * @throws Refusal `invalid_request`
 */
export function idempotencyOf(request: ApiRequest, asked: string): Idempotency | undefined {
  const given = request.headers.get('idempotency-key')
  if (given === null) return undefined
  const key = /^"(.*)"$/.exec(given)?.[1] ?? given
  if (/^[\x21-\x7e]{1,255}$/.test(key) && !key.includes(',')) {
    return { key, fingerprint: createHash('sha256').update(asked).digest('hex') }
  }
  throw new Refusal(
    'invalid_request',
    'Idempotency-Key must be 1 to 255 visible ASCII characters without commas, sent once.',
  )
}
