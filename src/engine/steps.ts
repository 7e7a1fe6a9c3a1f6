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

/** The steps that a slice works on side by side. */
export class Steps {
  readonly #running = new Map<string, Promise<DoneStep>>()

  get size(): number {
    return this.#running.size
  }

  keys(): Set<string> {
    return new Set(this.#running.keys())
  }

  start(step: Step, work: Promise<EventDraft>): void {
    const done = work.then((event) => ({ ...step, event }))
    // It may fail while nobody waits for it, and Node ends the process for that.
    done.catch(() => undefined)
    this.#running.set(step.key, done)
  }

  /** The step that ends first; it is none of the running ones then. */
  async next(): Promise<DoneStep> {
    const done = await Promise.race(this.#running.values())
    this.#running.delete(done.key)
    return done
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
