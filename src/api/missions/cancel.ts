import { z } from 'zod'
import { cancelMission } from '../../missions/cancel-mission.ts'
import type { Endpoint } from '../endpoints.ts'
import { json, missionId, type ApiRequest } from '../http.ts'
import { parse, text } from '../parse.ts'
import { readJson } from '../read-body.ts'

const bodySchema = z.strictObject({ reason: text.max(1000).optional() })

/** 202 the first time; 200 when the mission was cancelled before. */
export const cancel: Endpoint = async (request, context, caller) => {
  const { reason } = parse(bodySchema, await optionalJson(request))
  const { mission, changed } = await cancelMission(context.missions, caller, missionId(request), reason)
  return json(changed ? 202 : 200, mission)
}

/** A cancel needs no body; when one is sent, it must be right. */
async function optionalJson(request: ApiRequest): Promise<unknown> {
  const length = request.headers.get('content-length')
  if (request.body === null || length === '0') return {}
  if (length === null && request.headers.get('content-type') === null) return {}
  return (await readJson(request)).value
}
