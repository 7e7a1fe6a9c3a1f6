import { readMission } from '../../missions/read-mission.ts'
import type { Endpoint } from '../endpoints.ts'
import { json, missionId } from '../http.ts'

export const read: Endpoint = async (request, context, caller) => {
  const mission = await readMission(context.missions, caller, missionId(request))
  const etag = `"s${mission.lastSeq}-${mission.status}"`
  if (request.headers.get('if-none-match') === etag) return { status: 304, headers: { etag } }
  return json(200, mission, { etag })
}
