import { MODEL_STEP } from '../domain/decide.ts'
import type { EventDraft } from '../domain/event.ts'
import type { MissionState } from '../domain/state.ts'

/** A model call or tool call that a slice works on. */
export interface Step {
  key: string
  /** Number of the model's answer that it follows. */
  turn: number
  /** Of a tool call. */
  callId?: string
}

export interface DoneStep extends Step {
  event: EventDraft
}

/** A step that has ended: with what to record, or cut off. */
export type Ended = DoneStep | (Step & { error: unknown })

/** The steps that a slice works on side by side. A step is in flight until it was taken from here, also when it has ended. */
export class Steps {
  readonly #inFlight = new Set<string>()
  readonly #ended: Ended[] = []
  #news = Promise.withResolvers<void>()

  get size(): number {
    return this.#inFlight.size
  }

  keys(): Set<string> {
    return new Set(this.#inFlight)
  }

  start(step: Step, work: Promise<EventDraft>): void {
    this.#inFlight.add(step.key)
    work.then(
      (event) => this.#end({ ...step, event }),
      (error: unknown) => this.#end({ ...step, error }),
    )
  }

  /** Lets `next` answer at once: there is something else to look at. */
  nudge(): void {
    this.#news.resolve()
  }

  /** The step that ended first, of those that were not taken yet; undefined when none did within `ms`, or after a nudge. */
  async next(ms: number): Promise<Ended | undefined> {
    if (this.#ended.length === 0) await this.#newsWithin(ms)
    const ended = this.#ended.shift()
    if (ended !== undefined) this.#inFlight.delete(ended.key)
    return ended
  }

  async #newsWithin(ms: number): Promise<void> {
    // setTimeout fires at once for what is longer than 2^31 - 1 ms, 25 days.
    const timer = setTimeout(() => this.#news.resolve(), Math.min(Math.max(ms, 0), 2 ** 31 - 1))
    await this.#news.promise
    clearTimeout(timer)
    this.#news = Promise.withResolvers()
  }

  #end(ended: Ended): void {
    this.#ended.push(ended)
    this.#news.resolve()
  }
}

/**
 * Whether the journal still waits for a step's result. It does not where the owner before had its last append on the way
 * when its lease was taken over: the statement holds when its snapshot is older than the claim, and may commit after it.
 */
export function isOpen(state: MissionState, { key, turn, callId }: Step): boolean {
  if (state.answeredSeq !== turn) return false
  return key === MODEL_STEP || state.calls.some(({ call, status }) => call.id === callId && status !== 'settled')
}
