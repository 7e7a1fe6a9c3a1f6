import { SUSPECT_CRASHES } from '../db/queries/claim-mission.ts'
import type { Claim } from './ports.ts'
import { Stopped } from './stop-reason.ts'

/** A mission that this instance works on, with what the control poll last said about it. */
export class Hold {
  readonly missionId: string
  readonly epoch: number
  readonly #lost = new AbortController()
  readonly #look: () => void
  #suspect: boolean
  #inbox: number
  #watched = false
  #onNews: (() => void) | undefined
  #onCleared: (() => void) | undefined

  /** @param look loses all holds of an instance whose lease has run out */
  constructor(
    { missionId, epoch, inbox, crashes }: Pick<Claim, 'missionId' | 'epoch' | 'inbox' | 'crashes'>,
    look: () => void,
  ) {
    this.#look = look
    this.missionId = missionId
    this.epoch = epoch
    this.#inbox = inbox
    this.#suspect = crashes >= SUSPECT_CRASHES
  }

  /** Aborted when the mission was cancelled or taken over, or when this instance can't prove that it lives. */
  get lost(): AbortSignal {
    return this.#lost.signal
  }

  /**
   * Before anything begins: aborts `lost` where the lease has run out by now. After a process stood still, answers that came
   * meanwhile are read before the timer fires that would tell it.
   */
  look(): void {
    this.#look()
  }

  /** Whether it may be what its instances died of: they did again and again, and nothing was recorded since. */
  get suspect(): boolean {
    return this.#suspect
  }

  /** How many events came from outside the lease: answers, messages, a pause. */
  get inbox(): number {
    return this.#inbox
  }

  /** Whether somebody reads along. */
  get watched(): boolean {
    return this.#watched
  }

  /** Called when something came in from outside. */
  listen(onNews: () => void): void {
    this.#onNews = onNews
  }

  /** Called when it is suspect no longer. */
  whenCleared(onCleared: () => void): void {
    this.#onCleared = onCleared
  }

  /** Something was recorded: its instance did not die of it. */
  clear(): void {
    if (!this.#suspect) return
    this.#suspect = false
    this.#onCleared?.()
  }

  lose(): void {
    this.#lost.abort(new Stopped('lost'))
  }

  tell({ inbox, watched }: { inbox: number; watched: boolean }): void {
    this.#watched = watched
    if (inbox === this.#inbox) return
    this.#inbox = inbox
    this.#onNews?.()
  }
}
