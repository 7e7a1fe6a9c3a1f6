import type { DeltaRemoval, DeltaWrite } from '../db/queries/deltas.ts'
import type { Clock } from './ports.ts'

/** A mission at one of its owners, and whether somebody reads along just now. */
export interface Audience {
  readonly missionId: string
  readonly epoch: number
  readonly watched: boolean
}

/** What a model call tells while its answer is being written. Never throws, and never waits. */
export interface Preview {
  onText(piece: string): void
  /** A failed attempt is repeated: its text counts no more. */
  onRestart(): void
  close(): void
}

export type StoreDeltas = (writes: readonly DeltaWrite[], removals: readonly DeltaRemoval[]) => Promise<void>

interface Draft {
  audience: Audience
  afterSeq: number
  text: string
  /** A statement with it was sent, whatever became of it. */
  stored: boolean
}

const TICK_MS = 250
/** A table that can't be written to must not cost four statements a second. */
const REST_MS = 5_000
/**
 * In UTF-16 units, from the front: so much of an answer is shown ahead, about 8,000 tokens, and the rest comes with the
 * event. The front, because what was shown stays where it is: readers are sent what is new by its offset.
 */
const MOST_SHOWN = 32 * 1024

/**
 * Shows answers that are being written to those who read along. One statement every 250 ms carries those of all missions
 * of this process, and none is sent before the one before has ended: the engine has two connections, and the journal needs
 * them. It is a preview, so what fails is left out.
 */
export class Deltas {
  readonly #store: StoreDeltas
  readonly #clock: Clock
  /** By mission. */
  readonly #changed = new Map<string, Draft>()
  readonly #closed = new Map<string, DeltaRemoval>()
  #working = false

  constructor(store: StoreDeltas, clock: Clock) {
    this.#store = store
    this.#clock = clock
  }

  /** @param afterSeq the journal's length as the model is asked */
  open(audience: Audience, afterSeq: number): Preview {
    const draft: Draft = { audience, afterSeq, text: '', stored: false }
    return {
      onText: (piece) => this.#add(draft, piece),
      onRestart: () => (draft.text = ''),
      close: () => this.#close(draft),
    }
  }

  #add(draft: Draft, piece: string): void {
    if (draft.text.length >= MOST_SHOWN) return
    draft.text = (draft.text + piece).slice(0, MOST_SHOWN)
    const { missionId, epoch, watched } = draft.audience
    if (!watched || (this.#changed.get(missionId)?.audience.epoch ?? 0) > epoch) return
    this.#changed.set(missionId, draft)
    this.#work()
  }

  #close(draft: Draft): void {
    const { missionId, epoch } = draft.audience
    if (this.#changed.get(missionId) === draft) this.#changed.delete(missionId)
    if (!draft.stored) return
    // After the write that may be on its way, which is waited for first: it can't bring the row back.
    this.#closed.set(missionId, { missionId, epoch })
    this.#work()
  }

  #work(): void {
    if (this.#working) return
    this.#working = true
    void this.#flushAll()
  }

  async #flushAll(): Promise<void> {
    for (let pause = TICK_MS; this.#changed.size + this.#closed.size > 0;) {
      await this.#clock.sleep(pause)
      pause = (await this.#flush()) ? TICK_MS : REST_MS
    }
    this.#working = false
  }

  async #flush(): Promise<boolean> {
    const writes = [...this.#changed.values()].map((draft) => {
      draft.stored = true
      const { audience, afterSeq, text } = draft
      return { missionId: audience.missionId, epoch: audience.epoch, afterSeq, text }
    })
    // The next answer's text takes the place of the one before.
    const removals = [...this.#closed.values()].filter(({ missionId }) => !this.#changed.has(missionId))
    this.#changed.clear()
    this.#closed.clear()
    if (writes.length + removals.length === 0) return true
    try {
      await this.#store(writes, removals)
      return true
    } catch {
      // The journal's own statements tell of a database in trouble. Readers leave out what stays behind, and a sweep takes it.
      return false
    }
  }
}
