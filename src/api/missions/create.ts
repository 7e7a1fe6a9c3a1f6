import { createMission } from '../../missions/create-mission.ts'
import { parseCreateBody } from '../create-body.ts'
import type { Endpoint } from '../endpoints.ts'
import { accepted, idempotencyOf } from '../new-mission.ts'
import { readJson } from '../read-body.ts'

export const create: Endpoint = async (request, context, caller) => {
  const body = await readJson(request)
  const idempotency = idempotencyOf(request, body.text)
  return accepted(await createMission(context.missions, caller, { ...parseCreateBody(body.value), idempotency }))
}
