import { AsyncLocalStorage } from 'node:async_hooks'

/** Something that can die or stand still: a process. What it was about to do is then not done, or later. */
export interface Actor {
  name: string
  dead: boolean
  /** Until then nothing of it runs; its clock goes on. */
  frozenUntil: number
  /** How far its wall clock is wrong, in milliseconds. */
  skewMs: number
}

export interface Scheduled {
  at: number
  /** Equal times are put in an order by this: by chance where it may be, and else first come, first served. */
  tie: number
  actor: Actor | undefined
  run: () => unknown
  cancelled: boolean
  /** Set by the process itself, as by `setTimeout`; anything else is an answer from outside. */
  timer: boolean
}

/** Above every tie that is given otherwise. */
const AFTER_ALL_ANSWERS = 2 ** 50

/** The real one: what the simulation itself waits with while the globals are replaced. */
const realImmediate = setImmediate

const current = new AsyncLocalStorage<Actor>()

/** Whose code runs; undefined for the world's own. */
export function currentActor(): Actor | undefined {
  return current.getStore()
}

/** Runs as the actor, now. */
export function as<T>(actor: Actor, work: () => T): T {
  return current.run(actor, work)
}

/** One thing happens after the other, in an order that follows from the seed; between two of them no time passes. */
export class Scheduler {
  /** Milliseconds since 1970: the database's time, and every monotonic clock. */
  now: number
  readonly #heap: Scheduled[] = []
  #count = 0

  constructor(start: number) {
    this.now = start
  }

  /** @param tie where several are due at once, the lowest comes first; by default in the order of their scheduling */
  after(ms: number, actor: Actor | undefined, run: () => unknown, tie = 1): Scheduled {
    const entry = {
      at: this.now + Math.max(0, ms),
      tie: tie * 2 ** 40 + this.#count++,
      actor,
      run,
      cancelled: false,
      timer: false,
    }
    this.#push(entry)
    return entry
  }

  /**
   * Lets everything happen that is due before `end`, until `done` says so. A promise that the world's own code gives is waited
   * for, that of an actor is not: it may need the world to go on.
   */
  async run(end: number, done: () => boolean): Promise<void> {
    while (!done()) {
      const entry = this.#heap[0]
      if (entry === undefined || entry.at > end) {
        this.now = Math.max(this.now, end)
        return
      }
      this.#pop()
      if (entry.cancelled || entry.actor?.dead === true) continue
      this.now = Math.max(this.now, entry.at)
      if (entry.actor !== undefined && entry.actor.frozenUntil > this.now) {
        this.#push(thawed(entry, entry.actor.frozenUntil))
        continue
      }
      if (entry.actor === undefined) await entry.run()
      else current.run(entry.actor, entry.run)
      await new Promise((resolve) => realImmediate(resolve))
    }
  }

  #push(entry: Scheduled): void {
    const heap = this.#heap
    let index = heap.push(entry) - 1
    for (let above = (index - 1) >> 1; index > 0 && before(entry, heap[above]); above = (index - 1) >> 1) {
      heap[index] = heap[above] as Scheduled
      heap[above] = entry
      index = above
    }
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    heap[0] = last
    for (let index = 0; ;) {
      const [left, right] = [2 * index + 1, 2 * index + 2]
      const lower = before(heap[right], heap[left]) ? right : left
      const found = heap[lower]
      if (found === undefined || !before(found, last)) return
      heap[lower] = last
      heap[index] = found
      index = lower
    }
  }
}

/** Node reads what lies in its sockets before it looks at its timers, also where these were due long before. */
function thawed(entry: Scheduled, at: number): Scheduled {
  const tie = entry.timer && entry.tie < AFTER_ALL_ANSWERS ? entry.tie + AFTER_ALL_ANSWERS : entry.tie
  return Object.assign(entry, { at, tie })
}

function before(a: Scheduled | undefined, b: Scheduled | undefined): boolean {
  if (a === undefined || b === undefined) return a !== undefined
  return a.at < b.at || (a.at === b.at && a.tie < b.tie)
}
