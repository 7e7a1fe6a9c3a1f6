import type { EngineDb } from '../db/connection.ts'
import { isConnectionError, isPassing, isUniqueViolation } from '../db/pg-errors.ts'
import { appendUnderLeases, recordedEvents, type Append, type RecordedAt } from '../db/queries/append-events.ts'
import { readBack, wasReleased } from '../db/queries/read-back.ts'
import { patiently, PAUSES_MS } from './connection-patience.ts'
import type { AppendResult, Clock } from './ports.ts'

interface Pending {
  append: Append
  bytes: number
  settle(result: AppendResult): void
  fail(error: unknown): void
}

/** Of one flush: what a server takes in one statement without a pause that anybody would notice. */
const MOST_ROWS = 500
const MOST_BYTES = 4 * 1024 * 1024
/** Of what waits for the next flush. Beyond it a step waits before it is even taken in, so a slow server holds the missions up. */
const MOST_WAITING_BYTES = 32 * 1024 * 1024

/**
 * The one writer of this process's missions (group commit): while a flush is on its way, what comes meanwhile gathers, and
 * goes together as the next statement. Alone, an append costs one prepared insert; 32 missions share a commit.
 * A flush that failed went in as a whole or not at all, but nobody may know which: each append is then resolved by itself.
 */
export class JournalWriter {
  readonly #db: EngineDb
  readonly #clock: Clock
  #waiting: Pending[] = []
  #waitingBytes = 0
  #flushing = false
  #room: PromiseWithResolvers<void> | undefined

  constructor(db: EngineDb, clock: Clock) {
    this.#db = db
    this.#clock = clock
  }

  /** Rejects only where the database stays away, or refuses the append for what is in it. */
  async append(append: Append): Promise<AppendResult> {
    while (this.#waitingBytes > MOST_WAITING_BYTES) await this.#whenRoom()
    return new Promise<AppendResult>((settle, fail) => {
      const bytes = append.events.reduce((sum, { json }) => sum + json.length, 0)
      this.#waiting.push({ append, bytes, settle, fail })
      this.#waitingBytes += bytes
      if (!this.#flushing) void this.#flushAll()
    })
  }

  #whenRoom(): Promise<void> {
    return (this.#room ??= Promise.withResolvers()).promise
  }

  async #flushAll(): Promise<void> {
    this.#flushing = true
    // Missions that move on in the same turn of the event loop share the first flush.
    await Promise.resolve()
    while (this.#waiting.length > 0) {
      await this.#flush(this.#take())
      if (this.#waiting.length > 0) await new Promise(setImmediate)
    }
    this.#flushing = false
  }

  /** At most one append of each mission, so that none can depend on another of the same flush; all of one instance. */
  #take(): Pending[] {
    const taken: Pending[] = []
    const missions = new Set<string>()
    const instance = this.#waiting[0]?.append.lease.instance
    let rows = 0
    let bytes = 0
    const left = this.#waiting.filter((pending) => {
      const { lease, events } = pending.append
      const full = taken.length > 0 && (rows + events.length > MOST_ROWS || bytes + pending.bytes > MOST_BYTES)
      if (full || missions.has(lease.missionId) || lease.instance !== instance) return true
      missions.add(lease.missionId)
      rows += events.length
      bytes += pending.bytes
      taken.push(pending)
      return false
    })
    this.#waiting = left
    this.#waitingBytes -= bytes
    this.#room?.resolve()
    this.#room = undefined
    return taken
  }

  async #flush(batch: readonly Pending[]): Promise<void> {
    try {
      const appends = batch.map(({ append }) => append)
      const times = await appendUnderLeases(this.#db, appends)
      batch.forEach(({ append, settle }, index) => settle(resultOf(append, times[index])))
    } catch (error) {
      // Not awaited: what one mission runs into must not hold the others' next steps up.
      for (const pending of batch) {
        this.#resolve(pending.append, error, batch.length > 1).then(pending.settle, pending.fail)
      }
    }
  }

  /**
   * One append after its flush has failed. Where others were in it, it may have failed for their sake, and is sent again by
   * itself. After a broken connection nobody knows whether it went in, so what refuses it then may be its own rows: the
   * journal tells.
   */
  async #resolve(append: Append, cause: unknown, others: boolean): Promise<AppendResult> {
    let ambiguous = false
    let error = cause
    for (let attempt = 0; ; attempt++) {
      ambiguous ||= isConnectionError(error)
      if (isPassing(error)) await this.#pause(attempt, error)
      else if (attempt > 0 || !others) return this.#refused(append, error, ambiguous)
      try {
        const [times] = await appendUnderLeases(this.#db, [append])
        const result = resultOf(append, times)
        return result.kind === 'recorded' || !ambiguous ? result : ((await this.#readOwn(append)) ?? result)
      } catch (thrown) {
        error = thrown
      }
    }
  }

  async #pause(attempt: number, error: unknown): Promise<void> {
    const ms = PAUSES_MS[attempt]
    if (ms === undefined) throw error
    await this.#clock.sleep(ms)
  }

  async #refused(append: Append, error: unknown, ambiguous: boolean): Promise<AppendResult> {
    if (!isUniqueViolation(error)) throw error
    return (ambiguous ? await this.#readOwn(append) : undefined) ?? { kind: 'conflict' }
  }

  /**
   * What an append whose answer was lost did commit, if it did. Its rows carry our epoch; events from outside carry it too,
   * but are of types that a lease holder never writes.
   */
  async #readOwn({ lease, afterSeq, events }: Append): Promise<AppendResult | undefined> {
    if (events.length === 0) {
      const released = await patiently(this.#clock, () => wasReleased(this.#db, lease))
      return released ? { kind: 'recorded', recorded: [] } : undefined
    }
    const rows = await patiently(this.#clock, () => readBack(this.#db, lease.missionId, afterSeq, events.length))
    const own = events.every(({ event }, i) => rows[i]?.epoch === lease.epoch && rows[i].type === event.type)
    const times = rows.map(({ at }) => at)
    return own ? { kind: 'recorded', recorded: recordedEvents(events, afterSeq, times) } : undefined
  }
}

function resultOf({ events, afterSeq }: Append, times: RecordedAt | undefined): AppendResult {
  if (times === undefined) return { kind: 'lost' }
  return { kind: 'recorded', recorded: recordedEvents(events, afterSeq, times) }
}
