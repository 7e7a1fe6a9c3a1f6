import { readMission } from '../../missions/read-mission.ts'
import type { Endpoint } from '../endpoints.ts'
import { json, missionId } from '../http.ts'

export const read: Endpoint = async (request, context, caller) => {
  const mission = await readMission(context.missions, caller, missionId(request))
  const etag = `"s${mission.lastSeq}-${mission.status}"`
  if (matches(request.headers.get('if-none-match'), etag)) return { status: 304, headers: { etag } }
  return json(200, mission, { etag })
}

/** RFC 9110 13.1.2: a list of tags, compared weakly, since a proxy that compresses marks them with `W/`. */
function matches(header: string | null, etag: string): boolean {
  if (header === null) return false
  return header.split(',').some((tag) => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === etag)
}
