import type { EngineDb } from '../db/connection.ts'
import { isConnectionError } from '../db/pg-errors.ts'
import { markWatched, pollWatched, type Delta, type WatchedRow } from '../db/queries/watched.ts'
import type { JournalRow } from '../domain/parse-event.ts'
import { Refusal } from './refusal.ts'

export type { Delta }

/** Somebody who reads along with a mission. */
export interface Watcher {
  readonly missionId: string
  readonly tenantId: string
  afterSeq: number
  /** Whether it can take anything just now; who can't is not asked for until then. */
  hasRoom(): boolean
  /** Takes events in order, each row once; gives how many it took, from the first on. The others come again. */
  deliver(rows: readonly JournalRow[]): number
  /** Present where the answers that are being written are wanted too: all of the text so far, at each poll. */
  preview?: (delta: Delta) => void
  fail(error: unknown): void
}

const POLL_MS = 250
/** For who has just come, and while there is more than a page for somebody: a long journal comes at 4,000 events a second. */
const SOON_MS = 50
const ROWS_EACH = 200
/** As they are stored. A stream has room for 1 MiB, so more for one would be read for nothing. */
const BYTES_EACH = { least: 16 * 1024, most: 512 * 1024 }
/** Of all pages of a poll: what many who start from different events ask for at once has to fit into memory. */
const BYTES_ALL = 8 * 1024 * 1024
/** Where the host does not tell of a client that is gone, it counts until its stream's time is up. */
const MOST_WATCHERS = 1_000
/** Said anew three times within what it holds for. */
const MARK_MS = 5_000
const MARKED_SECONDS = 15

/** One poller and one query for everyone who reads along on this instance; it rests when nobody does. */
export class Watchers {
  readonly #db: EngineDb
  readonly #most: number
  readonly #watchers = new Set<Watcher>()
  #timer: NodeJS.Timeout | undefined
  #polling = false
  #polledAt = -Infinity
  /** Milliseconds from the beginning of one poll to the next. */
  #gap = POLL_MS
  /** By mission. */
  #drafts = new Map<string, Delta>()
  #marked: ReadonlySet<string> = new Set()
  #markedAt = -Infinity

  constructor(db: EngineDb, most = MOST_WATCHERS) {
    this.#db = db
    this.#most = most
  }

  /** @throws Refusal `rate_limited` where nobody more can be served */
  requireRoom(): void {
    if (this.#watchers.size < this.#most) return
    const many = this.#most.toLocaleString('en-GB')
    throw new Refusal(
      'rate_limited',
      `This instance serves ${many} streams of events, and no more. Try again in some seconds, or read the events as pages of JSON.`,
    )
  }

  /**
   * Delivers every event after `afterSeq`, in order, each once, until the returned function is called.
   * @throws Refusal `rate_limited`
   */
  watch(watcher: Watcher): () => void {
    this.requireRoom()
    this.#watchers.add(watcher)
    this.#pollWithin(SOON_MS)
    return () => {
      this.#watchers.delete(watcher)
      if (this.#watchers.size > 0) return
      clearTimeout(this.#timer)
      this.#timer = undefined
    }
  }

  #pollWithin(gap: number): void {
    this.#gap = Math.min(this.#gap, gap)
    if (this.#polling) return
    clearTimeout(this.#timer)
    const due = this.#polledAt + this.#gap - performance.now()
    this.#timer = setTimeout(() => void this.#poll(), Math.max(0, due)).unref()
  }

  async #poll(): Promise<void> {
    this.#polling = true
    this.#polledAt = performance.now()
    this.#gap = POLL_MS
    const asked = [...this.#watchers].filter((watcher) => watcher.hasRoom())
    try {
      if (asked.length > 0) this.#deliver(asked, await this.#read(asked))
      await this.#mark()
    } catch (error) {
      for (const watcher of asked) watcher.fail(error)
    } finally {
      this.#polling = false
      if (this.#watchers.size > 0) this.#pollWithin(POLL_MS)
    }
  }

  async #read(asked: readonly Watcher[]): Promise<WatchedRow[]> {
    const positions = distinct(asked)
    const bytes = Math.min(BYTES_EACH.most, Math.max(BYTES_EACH.least, Math.floor(BYTES_ALL / positions.length)))
    const poll = { positions, page: { rows: ROWS_EACH, bytes } }
    const wanted = new Set(asked.flatMap(({ missionId, preview }) => (preview === undefined ? [] : [missionId])))
    const drafts = [...wanted].map((missionId) => ({ missionId, known: this.#drafts.get(missionId) }))
    try {
      const { rows, deltas } = await pollWatched(this.#db, { ...poll, drafts })
      this.#drafts = new Map(deltas.map((delta) => [delta.missionId, delta]))
      return rows
    } catch (error) {
      // What is only a preview must not keep the events back.
      if (drafts.length === 0 || isConnectionError(error)) throw error
      return (await pollWatched(this.#db, { ...poll, drafts: [] })).rows
    }
  }

  #deliver(asked: readonly Watcher[], rows: readonly WatchedRow[]): void {
    const found = new Map(rows.map((row) => [`${row.missionId} ${row.seq}`, row]))
    for (const watcher of asked) {
      if (!this.#watchers.has(watcher)) continue
      const news = followers(found, watcher)
      const taken = news.length === 0 ? 0 : watcher.deliver(news)
      watcher.afterSeq = news[taken - 1]?.seq ?? watcher.afterSeq
      // Who had no room for all of it gets the rest once it has taken what it has.
      if (taken === news.length && news.at(-1)?.more === true) this.#gap = SOON_MS
      const draft = this.#drafts.get(watcher.missionId)
      if (draft !== undefined && draft.afterSeq <= watcher.afterSeq) watcher.preview?.(draft)
    }
  }

  /** Lets those who run these missions know that somebody reads along. Without it there is no preview, and nothing else. */
  async #mark(): Promise<void> {
    const previewed = [...this.#watchers].filter(({ preview }) => preview !== undefined)
    const missions = new Map(previewed.map(({ missionId, tenantId }) => [missionId, { missionId, tenantId }]))
    const isDue = performance.now() - this.#markedAt >= MARK_MS
    if (missions.size === 0 || (!isDue && [...missions.keys()].every((id) => this.#marked.has(id)))) return
    this.#markedAt = performance.now()
    this.#marked = new Set(missions.keys())
    await markWatched(this.#db, [...missions.values()], MARKED_SECONDS).catch(() => undefined)
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
