import { z } from 'zod'
import { cancelMission } from '../../missions/cancel-mission.ts'
import type { Endpoint } from '../endpoints.ts'
import { json, missionId } from '../http.ts'
import { parse, text } from '../parse.ts'
import { readJson } from '../read-body.ts'

const bodySchema = z.strictObject({ reason: text.max(1000).optional() })

/** 202 the first time; 200 when the mission was cancelled before. Needs no body; when one is sent, it must be right. */
export const cancel: Endpoint = async (request, context, caller) => {
  const { reason } = parse(bodySchema, (await readJson(request, { whenEmpty: {} })).value)
  const { mission, changed } = await cancelMission(context.missions, caller, missionId(request), reason)
  return json(changed ? 202 : 200, mission)
}
