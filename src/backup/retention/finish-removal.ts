import type { Pool } from 'pg'
import { asRetention } from '../../db/as-retention.ts'
import { removeLate, removeRow, removeSome, removeSomeContents } from '../../db/queries/delete-tenant.ts'
import type { TimeLeft } from './time-left.ts'

/** What was removed of a tenant in this run; an earlier one may have begun it. */
export interface TenantRemoved {
  tenantId: string
  missions: number
  events: number
  contents: number
  /** Of the contents. */
  bytes: number
  /** Nothing of it is left. */
  done: boolean
}

const MISSIONS_AT_ONCE = 50
const CONTENTS_AT_ONCE = 50

/**
 * Removes the rows of a tenant that was marked as deleted, in small transactions and its own row last: until then every run
 * goes on with what is left. Claim blobs of its calls stay: they hold the names of tools and no content, and a restore to a
 * time before this, which brings the tenant back, must not make its calls twice.
 */
export async function finishRemoval(db: Pool, tenantId: string, time: TimeLeft): Promise<TenantRemoved> {
  const report: TenantRemoved = { tenantId, missions: 0, events: 0, contents: 0, bytes: 0, done: false }
  while (!report.done && !time.isOver()) {
    await removeAllMissions(db, report, time)
    await removeAllContents(db, report, time)
    if (!time.isOver()) report.done = await asRetention(db, (tx) => removeRow(tx, tenantId))
  }
  return report
}

async function removeAllMissions(db: Pool, report: TenantRemoved, time: TimeLeft): Promise<void> {
  const { tenantId } = report
  let before: string[] = []
  while (!time.isOver()) {
    const late = before
    const done = await asRetention(db, async (tx) => ({
      // Of the batch before this: an append that was on its way when its mission was fenced may have come in after it.
      late: await removeLate(tx, tenantId, late),
      ...(await removeSome(tx, tenantId, MISSIONS_AT_ONCE)),
    }))
    report.missions += done.missions
    report.events += done.events + done.late
    before = done.ids
    if (before.length === 0) return
  }
}

async function removeAllContents(db: Pool, report: TenantRemoved, time: TimeLeft): Promise<void> {
  while (!time.isOver()) {
    const { removed, bytes } = await asRetention(db, (tx) => removeSomeContents(tx, report.tenantId, CONTENTS_AT_ONCE))
    report.contents += removed
    report.bytes += bytes
    if (removed === 0) return
  }
}
