import { z } from 'zod'
import { readJournal } from '../../missions/read-journal.ts'
import { readMission } from '../../missions/read-mission.ts'
import type { Caller } from '../../missions/context.ts'
import type { ApiContext, Endpoint } from '../endpoints.ts'
import { eventStream } from '../event-stream.ts'
import { json, missionId, type ApiRequest, type ApiResponse } from '../http.ts'
import { parse, wholeNumber } from '../parse.ts'

const seq = wholeNumber(0, 2_147_483_647)

const querySchema = z.strictObject({ after: seq.default(0), limit: wholeNumber(1, 1000).default(100) })
const headersSchema = z.object({ 'last-event-id': seq })

/** The journal: Server-Sent Events for who accepts them, pages of JSON otherwise. */
export const events: Endpoint = async (request, context, caller) => {
  const query = parse(querySchema, Object.fromEntries(new URL(request.url).searchParams))
  if (request.headers.get('accept')?.includes('text/event-stream') === true) {
    return follow(request, context, caller, query.after)
  }
  return json(200, await readJournal(context.missions, caller, missionId(request), query))
}

async function follow(request: ApiRequest, context: ApiContext, caller: Caller, after: number): Promise<ApiResponse> {
  const lastSeen = request.headers.get('last-event-id')
  const afterSeq = lastSeen ? parse(headersSchema, { 'last-event-id': lastSeen })['last-event-id'] : after
  const mission = await readMission(context.missions, caller, missionId(request))
  // A client that has everything must not come back for ever: 204 is how an EventSource is told to stop.
  if (mission.endedAt !== undefined && afterSeq >= mission.lastSeq) return { status: 204, headers: {} }
  return {
    status: 200,
    headers: {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
    },
    body: eventStream(context.watchers, { missionId: mission.id, afterSeq }),
  }
}
