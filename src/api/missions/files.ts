import { listFiles, readFile } from '../../missions/read-files.ts'
import type { Endpoint } from '../endpoints.ts'
import { json, missionId, pathAfterMissions } from '../http.ts'

export const files: Endpoint = async (request, context, caller) => {
  return json(200, { items: await listFiles(context.missions, caller, missionId(request)) })
}

/** Always a download: what an agent wrote must not run in a browser under this origin. */
export const file: Endpoint = async (request, context, caller) => {
  const name = pathAfterMissions(request).slice(2).join('/')
  const { file: found, bytes } = await readFile(context.missions, caller, missionId(request), name)
  return {
    status: 200,
    headers: {
      'content-type': 'application/octet-stream',
      'content-disposition': `attachment; filename*=UTF-8''${encodeName(found.name.split('/').at(-1) ?? 'file')}`,
      etag: `"${found.sha256}"`,
    },
    body: bytes,
  }
}

/** RFC 8187 takes fewer characters as they are than a URL does. */
function encodeName(name: string): string {
  return encodeURIComponent(name).replaceAll(/['()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`)
}
