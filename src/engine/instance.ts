import type { EngineContext } from './context.ts'
import { HeldUp } from './held-up.ts'
import { Hold } from './hold.ts'
import type { Claim, Owned } from './ports.ts'

const POLL_MS = 2_000

/** Polls that an idle instance still makes when a lease is over that was renewed as it fell idle. */
const LAST_POLLS = 3

/** The times in a row that a mission came to nothing for the database's sake from which on somebody should look. */
const TELL_FROM = 3

/** What rests for longer is found by the sweep: a hidden message would keep the platform's scaler awake until then. */
const LONGEST_HIDDEN_S = 90

export interface Held {
  claim: Claim
  hold: Hold
}

/** What the control poll tells of the deployment. */
export interface News {
  /** Missions whose owner died, and how many. */
  onOrphans(count: number): void
  /** At every poll while the deployment drains. */
  onDrain(): void
}

/** What ended for the database's sake, and still is this instance's own. */
interface Excused extends Pick<Claim, 'missionId' | 'epoch' | 'limited'> {
  restSeconds: number
}

/**
 * This process among the instances: it proves by one row that it lives, and compares every 2 s by one statement what it
 * owns with what it works on. What was cancelled or taken over stops here, and what came in from outside is told; what it
 * owns without working on it, after an error or a claim whose answer was lost, is given up, since nobody else may take it
 * while this instance lives. It counts as a crash only where the slice failed by itself. The same statement
 * tells when missions of an instance that died are there to be claimed.
 */
export class Instance {
  readonly #context: EngineContext
  readonly #news: News
  readonly #held = new Map<string, Hold>()
  #aliveUntil = -Infinity
  #life = 0
  #beating: Promise<void> | undefined
  #beatTimer: NodeJS.Timeout | undefined
  #pollTimer: NodeJS.Timeout | undefined
  #expiry: NodeJS.Timeout | undefined
  #busyAt = -Infinity
  /** Owned and not worked on at the last poll; a claim may just be on its way, so it takes two polls to be sure. */
  #strays = new Set<string>()
  /** What ended for the database's sake, until it is given up: while there is any, this instance does not fall asleep. */
  readonly #excused = new Map<string, Excused>()
  /** What ended with an error of its own, until it is given up. */
  readonly #failed = new Set<string>()
  /** Given up without an error: the answer to their claim may still come. */
  readonly #givenUp = new Set<string>()
  readonly #heldUp = new HeldUp()

  constructor(context: EngineContext, news: News) {
    this.#context = context
    this.#news = news
  }

  /** Before a claim: without a living row, a claim would be free for others at once. */
  async ensureAlive(): Promise<void> {
    this.#busyAt = this.#context.clock.monotonic()
    if (this.#busyAt < this.#aliveUntil - this.#context.settings.leaseMs / 2) return
    await (this.#beating ??= this.#beat().finally(() => (this.#beating = undefined)))
    this.#beatTimer ??= this.#every(this.#context.settings.leaseMs / 3, () => this.#keepAlive())
    this.#pollTimer ??= this.#every(POLL_MS, () => this.#poll())
  }

  /** Another one after each lease that ran out: others may have taken what this instance had in it. Undefined in none. */
  get life(): number | undefined {
    this.#look()
    return this.#isAlive() ? this.#life : undefined
  }

  /** Missions that are held from the moment on in which the answer is here. */
  async claim(most: number): Promise<Held[]> {
    // Each time: whoever finds nothing asks again for a second, in which the lease may run out.
    await this.ensureAlive()
    const suspect = ![...this.#held.values()].some((hold) => hold.suspect)
    const { life } = this
    const claims = await this.#context.missions.claim(most, suspect)
    return claims.map((claim) => ({ claim, hold: this.hold(claim, life) }))
  }

  /** @param life this instance's when it asked for the mission: what it got in a lease that is over may be somebody else's */
  hold(claim: Claim, life: number | undefined): Hold {
    const hold = new Hold(claim, () => this.#look())
    // The claim's answer was so late that the mission was taken for a stray meanwhile.
    if (this.#givenUp.delete(keyOf(claim)) || life === undefined || life !== this.life) hold.lose()
    this.#held.set(claim.missionId, hold)
    return hold
  }

  drop(hold: Hold): void {
    if (!this.#excused.has(keyOf(hold))) this.#heldUp.forget(hold.missionId)
    if (this.#held.get(hold.missionId) === hold) this.#held.delete(hold.missionId)
    this.#busyAt = this.#context.clock.monotonic()
  }

  /** Before `drop`, where the database failed and not the mission: giving it up will not count as a crash. */
  excuse({ missionId, tenantId, epoch, limited }: Claim, error: unknown): void {
    const { times, restSeconds } = this.#heldUp.again(missionId)
    const stray = { missionId, epoch, limited, restSeconds }
    this.#excused.set(keyOf(stray), stray)
    if (times < TELL_FROM) return
    this.#context.telemetry.missionHeldUp({ missionId, tenantId, times, nextTryInSeconds: restSeconds, error })
  }

  /** Before `drop`, where the slice failed by itself: giving it up will count as a crash. */
  fail(claim: Claim): void {
    this.#failed.add(keyOf(claim))
  }

  /** A clean end: the row goes, so that whatever is left can be claimed at once. */
  async leave(): Promise<void> {
    this.#stopTimers()
    // What can't be given back now counts as a crash after all, once.
    await Promise.allSettled([...this.#excused.values()].map((stray) => this.#giveUp(stray)))
    await this.#context.missions.leave()
  }

  async #beat(): Promise<void> {
    const { clock, missions, settings } = this.#context
    const sent = clock.monotonic()
    await missions.beat()
    // The answer may be read when the old lease is over, before the timer that would tell: others may have taken what was held.
    this.#look()
    this.#aliveUntil = sent + settings.leaseMs
    clearTimeout(this.#expiry)
    // A timer of its own, since the next beat and the next poll may both hang in a dead connection.
    const left = Math.max(0, this.#aliveUntil - clock.monotonic())
    this.#expiry = setTimeout(() => this.#loseAll(), left).unref()
  }

  async #keepAlive(): Promise<void> {
    if (this.#isIdle()) return this.#stopTimers()
    await this.#beat()
  }

  /**
   * For longer than a lease lasts: another instance that dies as this one falls idle leaves missions that nobody else may find
   * before the sweep. Without beats, the row then expires by itself.
   */
  #isIdle(): boolean {
    const { clock, settings } = this.#context
    if (this.#held.size > 0 || this.#excused.size > 0) return false
    return clock.monotonic() - this.#busyAt > settings.leaseMs + LAST_POLLS * POLL_MS
  }

  async #poll(): Promise<void> {
    const asked = [...this.#held.values()]
    const excused = [...this.#excused.keys()]
    const { owned, orphans, draining } = await this.#context.missions.poll()
    const byId = new Map(owned.map((one) => [one.missionId, one]))
    for (const hold of asked) {
      const now = byId.get(hold.missionId)
      if (now?.epoch === hold.epoch) hold.tell(now)
      else hold.lose()
    }
    const strays = owned.filter(({ missionId, epoch }) => this.#held.get(missionId)?.epoch !== epoch)
    // Taken over by another one, or given back by a statement whose answer was lost.
    for (const key of excused) if (!strays.some((stray) => keyOf(stray) === key)) this.#excused.delete(key)
    await this.#giveUpStrays(strays)
    if (draining) this.#news.onDrain()
    else if (orphans > 0) this.#news.onOrphans(orphans)
  }

  async #giveUpStrays(strays: Owned[]): Promise<void> {
    const before = this.#strays
    this.#strays = new Set(strays.map(keyOf))
    for (const stray of strays.filter((one) => before.has(keyOf(one)))) await this.#giveUp(stray)
  }

  async #giveUp({ missionId, epoch }: Pick<Owned, 'missionId' | 'epoch'>): Promise<void> {
    const { instance, missions, telemetry } = this.#context
    const lease = { missionId, epoch, instance }
    const key = keyOf(lease)
    const excused = this.#excused.get(key)
    const failed = this.#failed.has(key)
    if (excused === undefined && !failed) this.#givenUp.add(key)
    await (failed ? missions.abandon(lease) : missions.excuse(lease, excused?.restSeconds ?? 0))
    this.#failed.delete(key)
    this.#excused.delete(key)
    telemetry.leaseLost({ missionId })
    const inSeconds = excused?.restSeconds ?? 0
    if (inSeconds <= LONGEST_HIDDEN_S) await this.#wake(missionId, inSeconds)
    // Only now is there room for another one of its tenant, which must not rest for this one's sake.
    if (excused?.limited === true) await this.#wake(missionId, 0)
  }

  async #wake(missionId: string, inSeconds: number): Promise<void> {
    const { telemetry, wakes } = this.#context
    await wakes.send(missionId, inSeconds).catch((error: unknown) => telemetry.wakeFailed({ missionId, error }))
  }

  #isAlive(): boolean {
    return this.#context.clock.monotonic() < this.#aliveUntil
  }

  #look(): void {
    if (!this.#isAlive()) this.#loseAll()
  }

  #loseAll(): void {
    this.#life++
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
    this.#failed.clear()
    this.#givenUp.clear()
  }
}

function keyOf({ missionId, epoch }: Pick<Owned, 'missionId' | 'epoch'>): string {
  return `${missionId}/${epoch}`
}
