import type { EngineDb } from '../db/connection.ts'
import { readWatched, type WatchedRow } from '../db/queries/read-events.ts'
import type { JournalRow } from '../domain/parse-event.ts'

interface Watcher {
  missionId: string
  afterSeq: number
  deliver(rows: JournalRow[]): void
  fail(error: unknown): void
}

const POLL_MS = 250
const LIMIT_EACH = 200

/** One poller and one query for everyone who reads along on this instance; it rests when nobody does. */
export class Watchers {
  readonly #db: EngineDb
  readonly #watchers = new Set<Watcher>()
  #timer: NodeJS.Timeout | undefined
  #polling = false

  constructor(db: EngineDb) {
    this.#db = db
  }

  /** Delivers every event after `afterSeq`, in order, each once, until the returned function is called. */
  watch(watcher: Watcher): () => void {
    this.#watchers.add(watcher)
    this.#timer ??= setInterval(() => void this.#poll(), POLL_MS).unref()
    void this.#poll()
    return () => {
      this.#watchers.delete(watcher)
      if (this.#watchers.size > 0) return
      clearInterval(this.#timer)
      this.#timer = undefined
    }
  }

  async #poll(): Promise<void> {
    if (this.#polling) return
    this.#polling = true
    const asked = [...this.#watchers]
    try {
      this.#deliver(asked, await readWatched(this.#db, distinct(asked), LIMIT_EACH))
    } catch (error) {
      for (const watcher of asked) watcher.fail(error)
    } finally {
      this.#polling = false
    }
  }

  #deliver(asked: Watcher[], rows: WatchedRow[]): void {
    const found = new Map(rows.map((row) => [`${row.missionId} ${row.seq}`, row]))
    for (const watcher of asked) {
      const news = followers(found, watcher)
      if (news.length === 0 || !this.#watchers.has(watcher)) continue
      watcher.afterSeq = news.at(-1)?.seq ?? watcher.afterSeq
      watcher.deliver(news)
    }
  }
}

/**
 * Many may watch one mission from the same number, which is asked for once. Each number is asked for by itself: a page from
 * the earliest one alone would hold back whoever is further on than its end.
 */
function distinct(watchers: readonly Watcher[]): { missionId: string; afterSeq: number }[] {
  return [
    ...new Map(
      watchers.map(({ missionId, afterSeq }) => [`${missionId} ${afterSeq}`, { missionId, afterSeq }]),
    ).values(),
  ]
}

/** What follows without a gap on what the watcher has: pages of others may lie further on. */
function followers(found: ReadonlyMap<string, WatchedRow>, { missionId, afterSeq }: Watcher): WatchedRow[] {
  const rows: WatchedRow[] = []
  for (let row = found.get(`${missionId} ${afterSeq + 1}`); row !== undefined;) {
    rows.push(row)
    row = found.get(`${missionId} ${row.seq + 1}`)
  }
  return rows
}
