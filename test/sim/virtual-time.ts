import type { Clock } from '../../src/engine/ports.ts'
import { currentActor, type Actor, type Scheduled, type Scheduler } from './scheduler.ts'

/** Where every monotonic clock of the simulation begins. */
const BOOT_MS = 1_000

/** What the engine waits with by its port. */
export function simClock(scheduler: Scheduler, actor: Actor): Clock {
  const start = scheduler.now
  return {
    monotonic: () => BOOT_MS + scheduler.now - start,
    sleep: (ms, signal) => sleep(scheduler, actor, ms, signal),
  }
}

/** Resolves early, without an error, when the signal is aborted. */
export function sleep(scheduler: Scheduler, actor: Actor | undefined, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) return resolve()
    const entry = scheduler.after(ms, actor, () => resolve())
    signal?.addEventListener('abort', () => ((entry.cancelled = true), resolve()), { once: true })
  })
}

/** A timer as Node gives it, as far as the code under test uses one. */
class VirtualTimer {
  #entry: Scheduled
  readonly #start: () => Scheduled

  constructor(start: () => Scheduled) {
    this.#start = () => Object.assign(start(), { timer: true })
    this.#entry = this.#start()
  }

  cancel(): void {
    this.#entry.cancelled = true
  }

  refresh(): this {
    this.#entry.cancelled = true
    this.#entry = this.#start()
    return this
  }

  again(): void {
    this.#entry = this.#start()
  }

  ref(): this {
    return this
  }

  unref(): this {
    return this
  }
}

type Timers = Pick<
  typeof globalThis,
  'setTimeout' | 'clearTimeout' | 'setInterval' | 'clearInterval' | 'setImmediate' | 'Date'
>

/**
 * Lets all timers and clocks of this process be the scheduler's: a timer belongs to the actor that set it, and stands still or
 * dies with it; its wall clock is as wrong as the actor's. Gives what puts the real ones back.
 */
export function installVirtualTime(scheduler: Scheduler): () => void {
  const { setTimeout, clearTimeout, setInterval, clearInterval, setImmediate, Date: RealDate } = globalThis
  const real: Timers = { setTimeout, clearTimeout, setInterval, clearInterval, setImmediate, Date: RealDate }
  const realNow = performance.now
  const realTimeout = AbortSignal.timeout
  const RealController = globalThis.AbortController
  const left: AbortController[] = []
  const clear = (timer: unknown) => void (timer instanceof VirtualTimer && timer.cancel())
  const virtual = {
    setTimeout: (run: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) => {
      const actor = currentActor()
      return new VirtualTimer(() => scheduler.after(ms, actor, () => run(...args)))
    },
    setInterval: (run: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) => {
      const actor = currentActor()
      const timer = new VirtualTimer(() =>
        scheduler.after(ms, actor, () => {
          timer.again()
          run(...args)
        }),
      )
      return timer
    },
    setImmediate: (run: (...args: unknown[]) => void, ...args: unknown[]) => {
      const actor = currentActor()
      return new VirtualTimer(() => scheduler.after(0, actor, () => run(...args)))
    },
    clearTimeout: clear,
    clearInterval: clear,
    Date: virtualDate(scheduler, RealDate),
  }
  Object.assign(globalThis, virtual)
  globalThis.AbortController = class extends RealController {
    constructor() {
      super()
      left.push(this)
    }
  }
  performance.now = () => BOOT_MS + scheduler.now
  AbortSignal.timeout = (ms) => {
    const controller = new AbortController()
    virtual.setTimeout(() => controller.abort(new DOMException('The time is up', 'TimeoutError')), ms)
    return controller.signal
  }
  return () => {
    Object.assign(globalThis, real)
    performance.now = realNow
    AbortSignal.timeout = realTimeout
    globalThis.AbortController = RealController
    // Node keeps what listens to signals that depend on others (AbortSignal.any) until these are aborted: 0.2 MB a history.
    for (const controller of left) controller.abort()
  }
}

function virtualDate(scheduler: Scheduler, RealDate: DateConstructor): DateConstructor {
  const now = () => scheduler.now + (currentActor()?.skewMs ?? 0)
  return class extends RealDate {
    constructor(...given: [] | [string | number | Date]) {
      super(given.length === 0 ? now() : given[0])
    }

    static override now(): number {
      return now()
    }
  } as DateConstructor
}
