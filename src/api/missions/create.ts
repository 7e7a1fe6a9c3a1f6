import { createAndWait } from '../../missions/create-and-wait.ts'
import { createMission } from '../../missions/create-mission.ts'
import { parseCreateBody } from '../create-body.ts'
import type { Endpoint } from '../endpoints.ts'
import { accepted, idempotencyOf } from '../new-mission.ts'
import { preferredWait } from '../preferred-wait.ts'
import { readJson } from '../read-body.ts'

export const create: Endpoint = async (request, { missions, watchers, engine }, caller) => {
  const body = await readJson(request)
  const wanted = { ...parseCreateBody(body.value), idempotency: idempotencyOf(request, body.text) }
  const seconds = preferredWait(request)
  if (seconds === undefined) return accepted(await createMission(missions, caller, wanted))
  return accepted(await createAndWait({ ...missions, watchers, engine }, caller, wanted, seconds * 1000), seconds)
}
