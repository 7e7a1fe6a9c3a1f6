import type { EventDraft } from '../domain/event.ts'
import { parseEvent } from '../domain/parse-event.ts'
import type { EngineDb } from '../db/connection.ts'
import { isConnectionError, isUniqueViolation } from '../db/pg-errors.ts'
import { appendUnderLease, appendWithTransition } from '../db/queries/append-events.ts'
import { readBack } from '../db/queries/read-back.ts'
import { readEvents } from '../db/queries/read-events.ts'
import { storable } from '../db/queries/storable.ts'
import { patiently, PAUSES_MS } from './connection-patience.ts'
import type { AppendResult, Clock, Journal, Lease, Transition } from './ports.ts'

export function createJournal(db: EngineDb, clock: Clock): Journal {
  return {
    append: (lease, afterSeq, events, change) => appendSafely({ db, clock, lease, afterSeq, events, change }),
    read: async (missionId, afterSeq) =>
      (await patiently(clock, () => readEvents(db, missionId, afterSeq))).map(parseEvent),
  }
}

interface Append {
  db: EngineDb
  clock: Clock
  lease: Lease
  afterSeq: number
  events: readonly EventDraft[]
  change: Transition | undefined
}

/**
 * After a broken connection nobody knows whether the commit went through, or still may: the same append is sent again, and
 * where it is refused the journal tells whether the first one is the reason.
 */
async function appendSafely(append: Append): Promise<AppendResult> {
  for (let attempt = 0; ; attempt++) {
    try {
      const result = await appendOnce(append)
      return attempt === 0 || result.kind === 'recorded' ? result : ((await readOwn(append)) ?? result)
    } catch (error) {
      const pause = PAUSES_MS[attempt]
      if (pause === undefined || !isConnectionError(error)) throw error
      await append.clock.sleep(pause)
    }
  }
}

async function appendOnce({ db, lease, afterSeq, events, change }: Append): Promise<AppendResult> {
  try {
    const recorded =
      change === undefined
        ? await appendUnderLease(db, lease, afterSeq, events)
        : await appendWithTransition(db, lease, afterSeq, events, change)
    return recorded === undefined ? { kind: 'lost' } : { kind: 'recorded', recorded }
  } catch (error) {
    if (isUniqueViolation(error)) return { kind: 'conflict' }
    throw error
  }
}

/**
 * What an append whose answer was lost did commit, if it did. Its rows carry our epoch; events from outside carry it too,
 * but are of types that a lease holder never writes.
 */
async function readOwn({ db, lease, afterSeq, events }: Append): Promise<AppendResult | undefined> {
  const rows = await readBack(db, lease.missionId, afterSeq, events.length)
  const own = events.every((event, i) => rows[i]?.epoch === lease.epoch && rows[i].type === event.type)
  if (!own) return undefined
  const recorded = rows.map(({ seq, at }, i) => ({ ...storable(events[i] as EventDraft).event, seq, at }))
  return { kind: 'recorded', recorded }
}
