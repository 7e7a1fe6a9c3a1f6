import type { Claim } from './ports.ts'
import { Stopped } from './stop-reason.ts'

/** A mission that this instance works on, with what the control poll last said about it. */
export class Hold {
  readonly missionId: string
  readonly epoch: number
  readonly #lost = new AbortController()
  #inbox: number
  #watched = false
  #onNews: (() => void) | undefined

  constructor({ missionId, epoch, inbox }: Pick<Claim, 'missionId' | 'epoch' | 'inbox'>) {
    this.missionId = missionId
    this.epoch = epoch
    this.#inbox = inbox
  }

  /** Aborted when the mission was cancelled or taken over, or when this instance can't prove that it lives. */
  get lost(): AbortSignal {
    return this.#lost.signal
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
