import type { EngineContext } from './context.ts'
import { Hold } from './hold.ts'
import type { Claim, Owned } from './ports.ts'

/** An instance stops beating when it has had nothing to do for this long; its row then expires by itself. */
const IDLE_MS = 30_000
const POLL_MS = 2_000

/**
 * This process among the instances: it proves by one row that it lives, and compares every 2 s by one statement what it
 * owns with what it works on. What was cancelled or taken over stops here, and what came in from outside is told; what it
 * owns without working on it, after an error or a claim whose answer was lost, is given up, since nobody else may take it
 * while this instance lives. The same statement tells when missions of an instance that died are there to be claimed.
 */
export class Instance {
  readonly #context: EngineContext
  readonly #onOrphans: (count: number) => void
  readonly #held = new Map<string, Hold>()
  #aliveUntil = -Infinity
  #beating: Promise<void> | undefined
  #beatTimer: NodeJS.Timeout | undefined
  #pollTimer: NodeJS.Timeout | undefined
  #expiry: NodeJS.Timeout | undefined
  #busyAt = -Infinity
  /** Owned and not worked on at the last poll; a claim may just be on its way, so it takes two polls to be sure. */
  #strays = new Set<string>()

  constructor(context: EngineContext, onOrphans: (count: number) => void) {
    this.#context = context
    this.#onOrphans = onOrphans
  }

  /** Before a claim: without a living row, a claim would be free for others at once. */
  async ensureAlive(): Promise<void> {
    this.#busyAt = this.#context.clock.monotonic()
    if (this.#busyAt < this.#aliveUntil - this.#context.settings.leaseMs / 2) return
    await (this.#beating ??= this.#beat().finally(() => (this.#beating = undefined)))
    this.#beatTimer ??= this.#every(this.#context.settings.leaseMs / 3, () => this.#keepAlive())
    this.#pollTimer ??= this.#every(POLL_MS, () => this.#poll())
  }

  hold(claim: Claim): Hold {
    const hold = new Hold(claim)
    this.#held.set(claim.missionId, hold)
    return hold
  }

  drop(hold: Hold): void {
    if (this.#held.get(hold.missionId) === hold) this.#held.delete(hold.missionId)
    this.#busyAt = this.#context.clock.monotonic()
  }

  /** A clean end: the row goes, so that whatever is left can be claimed at once. */
  async leave(): Promise<void> {
    this.#stopTimers()
    await this.#context.missions.leave()
  }

  async #beat(): Promise<void> {
    const { clock, missions, settings } = this.#context
    const sent = clock.monotonic()
    await missions.beat()
    this.#aliveUntil = sent + settings.leaseMs
    clearTimeout(this.#expiry)
    // A timer of its own, since the next beat and the next poll may both hang in a dead connection.
    this.#expiry = setTimeout(() => this.#loseAll(), this.#aliveUntil - clock.monotonic()).unref()
  }

  async #keepAlive(): Promise<void> {
    const idle = this.#held.size === 0 && this.#context.clock.monotonic() - this.#busyAt > IDLE_MS
    if (idle) return this.#stopTimers()
    await this.#beat()
  }

  async #poll(): Promise<void> {
    const asked = [...this.#held.values()]
    const { owned, orphans } = await this.#context.missions.poll()
    const byId = new Map(owned.map((one) => [one.missionId, one]))
    for (const hold of asked) {
      const now = byId.get(hold.missionId)
      if (now?.epoch === hold.epoch) hold.tell(now)
      else hold.lose()
    }
    await this.#giveUpStrays(owned.filter(({ missionId, epoch }) => this.#held.get(missionId)?.epoch !== epoch))
    if (orphans > 0) this.#onOrphans(orphans)
  }

  async #giveUpStrays(strays: Owned[]): Promise<void> {
    const before = this.#strays
    this.#strays = new Set(strays.map(keyOf))
    for (const stray of strays.filter((one) => before.has(keyOf(one)))) {
      const { instance, missions, telemetry, wakes } = this.#context
      const { missionId } = stray
      await missions.abandon({ ...stray, instance })
      telemetry.leaseLost({ missionId })
      await wakes.send(missionId, 0).catch((error: unknown) => telemetry.wakeFailed({ missionId, error }))
    }
  }

  #loseAll(): void {
    for (const hold of this.#held.values()) hold.lose()
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
    clearTimeout(this.#expiry)
    this.#beatTimer = undefined
    this.#pollTimer = undefined
    this.#aliveUntil = -Infinity
    this.#strays.clear()
  }
}

function keyOf({ missionId, epoch }: Owned): string {
  return `${missionId}/${epoch}`
}
