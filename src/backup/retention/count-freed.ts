import type { Pool } from 'pg'
import { asRetention } from '../../db/as-retention.ts'
import {
  findOldContents,
  readNames,
  type EventPosition,
  type NamingEvent,
  type StoredContent,
} from '../../db/queries/retention-contents.ts'
import { makeWay, type TimeLeft } from './time-left.ts'

const MOST_CONTENTS = 100_000
const EVENTS_A_PAGE = 2_000

/**
 * Files that these missions name and no other one: what a sweep finds unnamed when they are gone. Reads all events, so only
 * where there are such missions; none where there was no time for it.
 */
export async function countFreed(
  db: Pool,
  time: TimeLeft,
  gone: ReadonlySet<string>,
): Promise<{ contents: number; bytes: number }> {
  const freed = new Map<string, StoredContent>()
  if (gone.size > 0) {
    const { found } = await asRetention(db, (tx) => findOldContents(tx, MOST_CONTENTS))
    const old = new Map(found.map((content) => [keyOf(content.tenantId, content.sha256), content]))
    const kept = new Set<string>()
    for await (const { tenantId, missionId, names, orphan } of allNames(db)) {
      if (time.isOver()) return { contents: 0, bytes: 0 }
      for (const key of names.map((name) => keyOf(tenantId, name))) {
        const content = old.get(key)
        if (gone.has(missionId) && content !== undefined) freed.set(key, content)
        else if (!orphan) kept.add(key)
      }
    }
    for (const key of kept) freed.delete(key)
  }
  return { contents: freed.size, bytes: [...freed.values()].reduce((sum, { bytes }) => sum + bytes, 0) }
}

async function* allNames(db: Pool): AsyncGenerator<NamingEvent> {
  let after: EventPosition | undefined = { missionId: '00000000-0000-0000-0000-000000000000', seq: 0 }
  while (after !== undefined) {
    const begun = performance.now()
    const from: EventPosition = after
    const rows = await asRetention(db, (tx) => readNames(tx, from, EVENTS_A_PAGE))
    yield* rows
    after = rows.at(-1)
    await makeWay(performance.now() - begun)
  }
}

function keyOf(tenantId: string, sha256: string): string {
  return `${tenantId}/${sha256}`
}
