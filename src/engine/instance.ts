import type { EngineContext } from './context.ts'
import { Stopped } from './stop-reason.ts'

interface Held {
  epoch: number
  controller: AbortController
}

/** An instance stops beating when it has had no mission for this long; its row then expires by itself. */
const IDLE_MS = 30_000
const POLL_MS = 2_000

/**
 * This process among the instances: it proves by one row that it lives, and learns every 2 s by one statement which of its
 * missions were cancelled or taken over. Both run only while missions are held.
 */
export class Instance {
  readonly #context: EngineContext
  readonly #held = new Map<string, Held>()
  #aliveUntil = -Infinity
  #beating: Promise<void> | undefined
  #beatTimer: NodeJS.Timeout | undefined
  #pollTimer: NodeJS.Timeout | undefined
  #idleSince = -Infinity

  constructor(context: EngineContext) {
    this.#context = context
  }

  get held(): number {
    return this.#held.size
  }

  /** Before a claim: without a living row, a claim would be free for others at once. */
  async ensureAlive(): Promise<void> {
    if (this.#context.clock.monotonic() < this.#aliveUntil - this.#context.settings.leaseMs / 2) return
    await (this.#beating ??= this.#beat().finally(() => (this.#beating = undefined)))
    this.#beatTimer ??= this.#every(this.#context.settings.leaseMs / 3, () => this.#keepAlive())
    this.#pollTimer ??= this.#every(POLL_MS, () => this.#poll())
  }

  /** The signal is aborted when the mission is cancelled, taken over, or this instance can't prove that it lives. */
  hold(missionId: string, epoch: number): AbortSignal {
    const controller = new AbortController()
    this.#held.set(missionId, { epoch, controller })
    return controller.signal
  }

  drop(missionId: string, epoch: number): void {
    if (this.#held.get(missionId)?.epoch === epoch) this.#held.delete(missionId)
    this.#idleSince = this.#context.clock.monotonic()
  }

  /** A clean end: the row goes, so that whatever is left can be claimed at once. */
  async leave(): Promise<void> {
    this.#stopTimers()
    await this.#context.missions.leave()
  }

  async #beat(): Promise<void> {
    const sent = this.#context.clock.monotonic()
    await this.#context.missions.beat()
    this.#aliveUntil = sent + this.#context.settings.leaseMs
  }

  async #keepAlive(): Promise<void> {
    const now = this.#context.clock.monotonic()
    if (this.#held.size === 0 && now - this.#idleSince > IDLE_MS) return this.#stopTimers()
    if (now >= this.#aliveUntil) this.#loseAll()
    await this.#beat().catch((error: unknown) => this.#context.telemetry.heartbeatFailed(error))
  }

  async #poll(): Promise<void> {
    if (this.#context.clock.monotonic() >= this.#aliveUntil) this.#loseAll()
    const asked = [...this.#held]
    if (asked.length === 0) return
    const rows = await this.#context.missions.held(asked.map(([id]) => id))
    for (const [missionId, { epoch, controller }] of asked) {
      const still = rows.some((row) => row.missionId === missionId && row.epoch === epoch)
      if (!still && this.#held.get(missionId)?.epoch === epoch) controller.abort(new Stopped('lost'))
    }
  }

  #loseAll(): void {
    for (const { controller } of this.#held.values()) controller.abort(new Stopped('lost'))
  }

  #every(ms: number, work: () => Promise<void>): NodeJS.Timeout {
    let running = false
    const timer = setInterval(() => {
      if (running) return
      running = true
      work()
        .catch((error: unknown) => this.#context.telemetry.heartbeatFailed(error))
        .finally(() => (running = false))
    }, ms)
    return timer.unref()
  }

  #stopTimers(): void {
    clearInterval(this.#beatTimer)
    clearInterval(this.#pollTimer)
    this.#beatTimer = undefined
    this.#pollTimer = undefined
    this.#aliveUntil = -Infinity
  }
}
