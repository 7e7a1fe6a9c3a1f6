import type { Pool } from 'pg'
import { asRetention } from '../../db/as-retention.ts'
import {
  findOldContents,
  readNames,
  removeContents,
  removeOrphans,
  type EventPosition,
  type StoredContent,
} from '../../db/queries/retention-contents.ts'
import { makeWay, type TimeLeft } from './time-left.ts'

export interface ContentsReport {
  /** Stored over a day ago, and looked for in all events. */
  looked: number
  removed: number
  bytes: number
  /** Events of missions that are gone. */
  orphanEvents: number
  /** There was no time to read all events, and so nothing could be known to be unnamed. */
  outOfTime: boolean
}

/** Contents looked for at once: 25 MB of names in memory. */
const MOST_CONTENTS = 100_000
const EVENTS_A_PAGE = 2_000
const CONTENTS_AT_ONCE = 200

/**
 * Removes files that no event names any more. All events of all tenants are read once (1 GB of them in about 50 s, half of which are pauses):
 * an index of names would cost every step, and this is once a day. Nothing is removed unless all were read.
 *
 * A file is stored before the event that names it. Storing it, also again, makes it young, and only what was stored last a
 * day before the reading began is looked at; a mission that names a file without storing it has the name from an event of
 * its own or of one that it goes on from, and that is kept as long as itself.
 */
export async function sweepContents(db: Pool, time: TimeLeft, dryRun: boolean): Promise<ContentsReport> {
  const report: ContentsReport = { looked: 0, removed: 0, bytes: 0, orphanEvents: 0, outOfTime: false }
  const { cutoff, found } = await asRetention(db, (tx) => findOldContents(tx, MOST_CONTENTS))
  report.looked = found.length
  if (found.length === 0) return report
  const unnamed = new Map(found.map((content) => [keyOf(content.tenantId, content.sha256), content]))
  const orphans = new Set<string>()
  report.outOfTime = !(await strikeNamed(db, time, unnamed, orphans))
  if (report.outOfTime) return report
  const rest = [...unnamed.values()]
  if (dryRun) {
    return { ...report, removed: rest.length, bytes: rest.reduce((sum, { bytes }) => sum + bytes, 0) }
  }
  for (let from = 0; from < rest.length && !time.isOver(); from += CONTENTS_AT_ONCE) {
    const begun = performance.now()
    const some = rest.slice(from, from + CONTENTS_AT_ONCE)
    const done = await asRetention(db, (tx) => removeContents(tx, some, cutoff))
    report.removed += done.removed
    report.bytes += done.bytes
    await makeWay(performance.now() - begun)
  }
  report.orphanEvents = await asRetention(db, (tx) => removeOrphans(tx, [...orphans]))
  return report
}

/** Takes from `unnamed` what an event names. False where there was no time to read all of them. */
async function strikeNamed(
  db: Pool,
  time: TimeLeft,
  unnamed: Map<string, StoredContent>,
  orphans: Set<string>,
): Promise<boolean> {
  let after: EventPosition | undefined = { missionId: '00000000-0000-0000-0000-000000000000', seq: 0 }
  while (after !== undefined) {
    if (time.isOver()) return false
    const begun = performance.now()
    const from: EventPosition = after
    const rows = await asRetention(db, (tx) => readNames(tx, from, EVENTS_A_PAGE))
    for (const { tenantId, missionId, names, orphan } of rows) {
      if (orphan) orphans.add(missionId)
      else for (const name of names) unnamed.delete(keyOf(tenantId, name))
    }
    after = rows.at(-1)
    await makeWay(performance.now() - begun)
  }
  return true
}

function keyOf(tenantId: string, sha256: string): string {
  return `${tenantId}/${sha256}`
}
