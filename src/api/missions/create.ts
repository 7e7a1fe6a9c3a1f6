import { createHash } from 'node:crypto'
import { createMission } from '../../missions/create-mission.ts'
import { Refusal } from '../../missions/refusal.ts'
import { parseCreateBody } from '../create-body.ts'
import type { Endpoint } from '../endpoints.ts'
import { json, type ApiRequest } from '../http.ts'
import { readJson } from '../read-body.ts'

export const create: Endpoint = async (request, context, caller) => {
  const key = idempotencyKey(request)
  const body = await readJson(request)
  const parsed = parseCreateBody(body.value)
  const idempotency =
    key === undefined ? undefined : { key, fingerprint: createHash('sha256').update(body.text).digest('hex') }
  const { mission, replayed } = await createMission(context.missions, caller, { ...parsed, idempotency })
  return json(202, mission, {
    location: mission.links.self,
    'operation-location': mission.links.self,
    'retry-after': '2',
    ...(replayed ? { 'idempotent-replayed': 'true' } : {}),
  })
}

/** Quoted as the expired draft has it, or bare as most clients send it. */
function idempotencyKey(request: ApiRequest): string | undefined {
  const given = request.headers.get('idempotency-key')
  if (given === null) return undefined
  const key = /^"(.*)"$/.exec(given)?.[1] ?? given
  if (/^[\x21-\x7e]{1,255}$/.test(key) && !key.includes(',')) return key
  throw new Refusal(
    'invalid_request',
    'Idempotency-Key must be 1 to 255 visible ASCII characters without commas, sent once.',
  )
}
