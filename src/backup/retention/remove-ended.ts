import type { Pool } from 'pg'
import { asRetention, type RetentionTx } from '../../db/as-retention.ts'
import {
  countOld,
  EVENTS_AT_ONCE,
  FIRST,
  lockOld,
  removeMissions,
  type EndedStatus,
  type KeepDays,
  type Position,
  type Removed,
} from '../../db/queries/retention-missions.ts'
import { makeWay, type TimeLeft } from './time-left.ts'

/** What became of a tenant's missions that ended in one way, and why. */
export interface EndedReport extends Removed {
  tenantId: string
  status: EndedStatus
  /** They go when they ended longer ago than this. */
  days: number
  /** Removed; the rest of `old` waits for the next run. */
  old: number
  /** As old, but a newer mission goes on from them. */
  keptForBranches: number
}

export interface EndedRequest {
  db: Pool
  tenantId: string
  keep: readonly KeepDays[]
  /** Missions in one transaction at most. */
  batch: number
  time: TimeLeft
}

/**
 * Removes a tenant's missions that ended longer ago than the days for how they ended, in small transactions. A mission that
 * another one goes on from stays, since that one's first events are its; when that one goes, it may go in the same run.
 */
export async function removeEnded(request: EndedRequest): Promise<EndedReport[]> {
  const { db, tenantId, keep } = request
  const counted = await asRetention(db, (tx) => countOld(tx, tenantId, keep))
  const reports = keep.map(({ status, days }): EndedReport => {
    const { old, needed } = counted.find((row) => row.status === status) ?? { old: 0, needed: 0 }
    return { tenantId, status, days, old: old - needed, keptForBranches: needed, missions: 0, events: 0, keys: 0 }
  })
  let gone = counted.length === 0 ? 0 : Infinity
  // Branches first: what they went on from is free only then, and may have ended in another way.
  while (gone > 0 && !request.time.isOver()) {
    gone = 0
    for (const report of reports) gone += await removePass(request, report)
  }
  return reports
}

/** Once over all that are old and free. Gives how many went, and adds them to the report. */
async function removePass({ db, batch, time }: EndedRequest, report: EndedReport): Promise<number> {
  let after: Position | undefined = FIRST
  let gone = 0
  while (after !== undefined && !time.isOver()) {
    const begun = performance.now()
    const from: Position = after
    const done = await asRetention(db, (tx) => removeBatch(tx, report, from, batch))
    report.missions += done.missions
    report.events += done.events
    report.keys += done.keys
    gone += done.missions
    after = done.last
    if (after !== undefined) await makeWay(performance.now() - begun)
  }
  return gone
}

/** `last` is the last one looked at; undefined: there was none. */
async function removeBatch(
  tx: RetentionTx,
  { tenantId, status, days }: EndedReport,
  after: Position,
  limit: number,
): Promise<Removed & { last: Position | undefined }> {
  const locked = await lockOld(tx, { tenantId, status, days, after, limit })
  const some = upToEvents(locked)
  const removed = await removeMissions(
    tx,
    tenantId,
    some.map(({ id }) => id),
  )
  return { ...removed, last: some.at(-1) }
}

/** As many as have 5,000 events together, one at least: a journal goes in one transaction whatever its length. */
function upToEvents<Mission extends { events: number }>(missions: readonly Mission[]): Mission[] {
  let sum = 0
  const end = missions.findIndex(({ events }, index) => (sum += events) > EVENTS_AT_ONCE && index > 0)
  return end === -1 ? [...missions] : missions.slice(0, end)
}
