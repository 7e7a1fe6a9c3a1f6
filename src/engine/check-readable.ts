import type { EngineDb, ReaderSession } from '../db/connection.ts'
import { databaseNow } from '../db/queries/unfinished.ts'
import { nextDecision } from './next-decision.ts'
import type { Clock } from './ports.ts'
import { unfinishedMissions } from './unfinished-missions.ts'

export interface Readable {
  checked: number
  /** What this code can't read, or has no decision for. */
  unreadable: { id: string; why: string }[]
  /** The mission after which the next call goes on; absent where all were seen. */
  next?: string
}

export interface CheckLimits {
  clock: Pick<Clock, 'monotonic'>
  /** Milliseconds after which no other mission is begun. */
  ms: number
  missions: number
}

/** Missions name what they hold, and a list of thousands has to stay an answer. */
const LONGEST_WHY = 300

/** Reads unfinished missions of all tenants with this code, one at least, as far as the limits allow. Nothing is written. */
export async function checkReadable(
  db: EngineDb | ReaderSession,
  after: string | undefined,
  { clock, ms, missions }: CheckLimits,
): Promise<Readable> {
  const end = clock.monotonic() + ms
  const now = await databaseNow(db)
  const report: Readable = { checked: 0, unreadable: [] }
  let last: string | undefined
  for await (const { missionId, ...read } of unfinishedMissions(db, { after })) {
    if (last !== undefined && (report.checked >= missions || clock.monotonic() >= end)) return { ...report, next: last }
    const decision = nextDecision({ v: 1, now, ...read })
    if (!decision.readable) report.unreadable.push({ id: missionId, why: decision.why.slice(0, LONGEST_WHY) })
    report.checked++
    last = missionId
  }
  return report
}
