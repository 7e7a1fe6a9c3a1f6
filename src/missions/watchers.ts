import type { EngineDb } from '../db/connection.ts'
import { readWatched } from '../db/queries/read-events.ts'
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
      this.#deliver(asked, await readWatched(this.#db, firstNeeded(asked), LIMIT_EACH))
    } catch (error) {
      for (const watcher of asked) watcher.fail(error)
    } finally {
      this.#polling = false
    }
  }

  #deliver(asked: Watcher[], rows: (JournalRow & { missionId: string })[]): void {
    const byMission = Map.groupBy(rows, ({ missionId }) => missionId)
    for (const watcher of asked) {
      const news = (byMission.get(watcher.missionId) ?? []).filter(({ seq }) => seq > watcher.afterSeq)
      if (news.length === 0 || !this.#watchers.has(watcher)) continue
      watcher.afterSeq = news.at(-1)?.seq ?? watcher.afterSeq
      watcher.deliver(news)
    }
  }
}

/** Several may watch one mission: it is asked for once, from the earliest number that one of them needs. */
function firstNeeded(watchers: readonly Watcher[]): { missionId: string; afterSeq: number }[] {
  const first = new Map<string, number>()
  for (const { missionId, afterSeq } of watchers) {
    first.set(missionId, Math.min(afterSeq, first.get(missionId) ?? afterSeq))
  }
  return [...first].map(([missionId, afterSeq]) => ({ missionId, afterSeq }))
}
