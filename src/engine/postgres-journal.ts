import type { EngineDb } from '../db/connection.ts'
import { readEvents } from '../db/queries/read-events.ts'
import { storable } from '../db/queries/storable.ts'
import { parseEvent } from '../domain/parse-event.ts'
import { patiently } from './connection-patience.ts'
import { JournalWriter } from './journal-writer.ts'
import type { Clock, Journal } from './ports.ts'

/** The journal in Postgres, with one writer for all missions of this process. */
export function createJournal(db: EngineDb, clock: Clock): Journal {
  const writer = new JournalWriter(db, clock)
  return {
    append: (lease, afterSeq, events, change) =>
      writer.append({ lease, afterSeq, events: events.map(storable), change }),
    read: async (missionId, afterSeq, uptoSeq) =>
      (await patiently(clock, () => readEvents(db, missionId, afterSeq, uptoSeq && uptoSeq - afterSeq))).map(
        parseEvent,
      ),
  }
}
