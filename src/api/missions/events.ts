import { z } from 'zod'
import { endsJournal } from '../../domain/event.ts'
import { readJournal } from '../../missions/read-journal.ts'
import { readMission } from '../../missions/read-mission.ts'
import type { Caller } from '../../missions/context.ts'
import type { ApiContext, Endpoint } from '../endpoints.ts'
import { eventStream } from '../event-stream.ts'
import { json, missionId, type ApiRequest, type ApiResponse } from '../http.ts'
import { parse, wholeNumber } from '../parse.ts'

const seq = wholeNumber(0, 2_147_483_647)

const querySchema = z.strictObject({
  after: seq.default(0),
  limit: wholeNumber(1, 1000).default(100),
  /** Of a stream; not without being asked for, since its messages are of no event and have no id. */
  deltas: z.enum(['true', 'false']).default('false'),
})
const headersSchema = z.object({ 'last-event-id': seq })

/** The journal: Server-Sent Events for who accepts them, pages of JSON otherwise. */
export const events: Endpoint = async (request, context, caller) => {
  const { deltas, ...page } = parse(querySchema, Object.fromEntries(new URL(request.url).searchParams))
  if (request.headers.get('accept')?.includes('text/event-stream') === true) {
    return follow(request, context, caller, { after: page.after, deltas: deltas === 'true' })
  }
  return json(200, await readJournal(context.missions, caller, missionId(request), page))
}

async function follow(
  request: ApiRequest,
  context: ApiContext,
  caller: Caller,
  { after, deltas }: { after: number; deltas: boolean },
): Promise<ApiResponse> {
  const lastSeen = request.headers.get('last-event-id')
  const afterSeq = lastSeen ? parse(headersSchema, { 'last-event-id': lastSeen })['last-event-id'] : after
  const id = missionId(request)
  context.watchers.requireRoom()
  // A client that has everything must not come back for ever: 204 is how an EventSource is told to stop.
  if (await hasAll(context, caller, id, afterSeq)) return { status: 204, headers: {} }
  return {
    status: 200,
    headers: {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
    },
    body: eventStream(context.watchers, {
      missionId: id,
      tenantId: caller.tenantId,
      afterSeq,
      deltas,
      client: request,
    }),
  }
}

/** By the events around the number: every client comes back every three minutes, and a journal may have thousands. */
async function hasAll({ missions }: ApiContext, caller: Caller, id: string, afterSeq: number): Promise<boolean> {
  const { items } = await readJournal(missions, caller, id, { after: Math.max(0, afterSeq - 1), limit: 2 })
  const last = items.at(-1)
  if (last !== undefined) return last.seq <= afterSeq && endsJournal(last.type)
  return (await readMission(missions, caller, id)).endedAt !== undefined
}
