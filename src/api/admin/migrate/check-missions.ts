import { asReader } from '../../../db/as-reader.ts'
import { withClient } from '../../../db/migrate/connect.ts'
import { readApplied } from '../../../db/migrate/status.ts'
import { checkReadable, type Readable } from '../../../engine/check-readable.ts'
import { systemClock } from '../../../engine/system-clock.ts'
import type { Database } from './request.ts'

/** The platform ends an answer at 230 s; the mission that is being read when the time is up is read to its end. */
const LIMITS = { clock: systemClock, ms: 100_000, missions: 5_000 }

/** Reads unfinished missions with the code of this package and writes nothing; where `next` is answered, it was not all of them. */
export async function checkMissions(
  { databaseUrl, connect }: Database,
  after: string | undefined,
): Promise<{ check: Readable }> {
  const applied = await withClient(databaseUrl, readApplied, connect)
  // Before the first migration there are no missions, and no role to read them as.
  if (applied.length === 0) return { check: { checked: 0, unreadable: [] } }
  return { check: await asReader(databaseUrl, connect, (session) => checkReadable(session, after, LIMITS)) }
}
