import { z } from 'zod'
import { pauseMission, resumeMission } from '../../missions/pause-mission.ts'
import type { Endpoint } from '../endpoints.ts'
import { json, missionId } from '../http.ts'
import { parse, text } from '../parse.ts'
import { readJson } from '../read-body.ts'

const bodySchema = z.strictObject({ reason: text.max(1000).optional() })

/** 202 the first time; 200 when the mission was paused before. Needs no body; when one is sent, it must be right. */
export const pause: Endpoint = changing(pauseMission)

/** 202 where it lets the mission go on; 200 when the mission was not paused. A body as for `pause`. */
export const resume: Endpoint = changing(resumeMission)

function changing(change: typeof pauseMission): Endpoint {
  return async (request, context, caller) => {
    const { reason } = parse(bodySchema, (await readJson(request, { whenEmpty: {} })).value)
    const { mission, changed } = await change(context.missions, caller, missionId(request), reason)
    return json(changed ? 202 : 200, mission)
  }
}
