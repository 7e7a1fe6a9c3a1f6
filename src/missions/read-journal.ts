import { inTenant } from '../db/in-tenant.ts'
import { findMission } from '../db/queries/missions.ts'
import { readEvents } from '../db/queries/read-events.ts'
import type { JournalRow } from '../domain/parse-event.ts'
import type { Caller, MissionsContext } from './context.ts'
import { noSuchMission } from './refusal.ts'

/** An event as clients see it. */
export interface EventView {
  seq: number
  type: string
  at: string
  data: unknown
}

/** One page of a journal. `nextAfter` is null where the page reaches the end as it is now. */
export async function readJournal(
  context: MissionsContext,
  caller: Caller,
  id: string,
  page: { after: number; limit: number },
): Promise<{ items: EventView[]; nextAfter: number | null }> {
  return inTenant(context.databases.api, caller.tenantId, async (tx) => {
    if ((await findMission(tx, id)) === undefined) throw noSuchMission()
    const rows = await readEvents(tx, id, page.after, page.limit + 1)
    const items = rows.slice(0, page.limit).map(toEventView)
    return { items, nextAfter: rows.length > page.limit ? (items.at(-1)?.seq ?? null) : null }
  })
}

export function toEventView({ seq, type, at, data }: JournalRow): EventView {
  return { seq, type, at: new Date(at).toISOString(), data }
}
