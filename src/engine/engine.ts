import { TerminalError } from '../domain/errors.ts'
import { Claims } from './claims.ts'
import type { EngineContext } from './context.ts'
import { DatabaseFaults } from './database-faults.ts'
import { Instance, type Held } from './instance.ts'
import type { Claim } from './ports.ts'
import { runSlice, type Outside, type SliceEnd } from './run-slice.ts'
import { Stopped } from './stop-reason.ts'

/** Changes from outside hold a mission's row for a few milliseconds; a second is long for them. */
const CLAIM_PAUSES_MS = [10, 30, 100, 300, 600]

const SWEEP_LOOK_MS = 30_000

/** Room for one mission, kept until it is given back or the mission was run. */
export interface Place {
  /** The instance that lives and may own the mission. */
  instance: string
  /** Runs one slice of at most `sliceMs` of a mission that this instance owns. Rejects like `runOne`. */
  run(claim: Claim, sliceMs: number): Promise<SliceEnd>
  giveBack(): void
}

/** Moves missions, one slice for each call of `runOne`; one engine in a process. */
export class Engine {
  readonly #context: EngineContext
  readonly #instance: Instance
  readonly #claims: Claims<Held>
  readonly #faults = new DatabaseFaults()
  readonly #draining = new AbortController()
  /** Of what runs now, when the deployment drains; what is claimed after that has the next one. */
  #deploymentDrains = new AbortController()
  readonly #running = new Set<Promise<unknown>>()
  #lookedAtSweep = -Infinity
  /** Beside the missions: a sweep takes no mission's place, and a drain lets it finish. */
  #sweeping: Promise<void> = Promise.resolve()

  constructor(context: EngineContext) {
    this.#context = this.#faults.watch(context)
    this.#instance = new Instance(context, {
      onOrphans: (count) => this.#takeUp(count),
      onDrain: () => this.#handOverAll(),
    })
    this.#claims = new Claims((most) => this.#instance.claim(most))
  }

  /**
   * Claims the mission that should move next and runs one slice of it, waiting for room first. Undefined when there is
   * nothing to do. Throws where the database can't be reached, and Stopped `drain` where the instance is stopping and ran
   * nothing: the caller's permit is not used up, and must come again.
   */
  async runOne(): Promise<{ missionId: string; end: SliceEnd } | undefined> {
    while (this.#running.size >= this.#context.settings.concurrency)
      await Promise.race(this.#running).catch(() => undefined)
    this.#draining.signal.throwIfAborted()
    const work = this.#claimAndRun()
    this.#running.add(work)
    try {
      const ran = await work
      if (ran === undefined) this.#draining.signal.throwIfAborted()
      return ran
    } finally {
      this.#running.delete(work)
    }
  }

  /** A place for a mission that the caller is about to create as this instance's; undefined where there is no room now. */
  async reserve(): Promise<Place | undefined> {
    if (!this.#hasRoom()) return undefined
    const taken = Promise.withResolvers<void>()
    this.#running.add(taken.promise)
    const giveBack = () => {
      this.#running.delete(taken.promise)
      taken.resolve()
    }
    try {
      await this.#instance.ensureAlive()
    } catch (error) {
      giveBack()
      throw error
    }
    const { life } = this.#instance
    const run = (claim: Claim, sliceMs: number) =>
      this.#runHeld({ claim, hold: this.#instance.hold(claim, life) }, sliceMs).finally(giveBack)
    return { instance: this.#context.instance, run, giveBack }
  }

  #hasRoom(): boolean {
    return !this.#draining.signal.aborted && this.#running.size < this.#context.settings.concurrency
  }

  /**
   * Claims nothing more, waits for tools that act once (30 s at most), hands over what runs, and takes the instance's row away.
   */
  async drain(): Promise<void> {
    this.#draining.abort(new Stopped('drain'))
    await Promise.allSettled(this.#running)
    await this.#sweeping
    await this.#instance.leave()
  }

  async #claimAndRun(): Promise<{ missionId: string; end: SliceEnd } | undefined> {
    this.#lookAtSweep()
    const held = await this.#claim()
    if (held === undefined) return undefined
    return { missionId: held.claim.missionId, end: await this.#runHeld(held, this.#context.settings.sliceMs) }
  }

  async #runHeld({ claim, hold }: Held, sliceMs: number): Promise<SliceEnd> {
    hold.whenCleared(() => void this.#wakeNext(claim))
    let end: SliceEnd | undefined
    try {
      const drain = AbortSignal.any([this.#draining.signal, this.#deploymentDrains.signal])
      end = hold.lost.aborted ? 'lost' : await this.#runSlice(claim, { hold, sliceMs, drain })
      if (end === 'lost') this.#context.telemetry.leaseLost(claim)
      return end
    } catch (error) {
      if (this.#faults.has(error)) this.#instance.excuse(claim, error)
      else this.#instance.fail(claim)
      throw error
    } finally {
      this.#instance.drop(hold)
      if ((claim.limited && end !== 'handed-over') || hold.suspect) await this.#wakeNext(claim)
    }
  }

  /**
   * The deployment drains, by the control poll: what runs is handed over as when this instance goes down. Nothing has to be
   * taken back when that is over, since it is the database that gives nothing out meanwhile.
   */
  #handOverAll(): void {
    this.#deploymentDrains.abort(new Stopped('drain'))
    this.#deploymentDrains = new AbortController()
  }

  /**
   * While a tenant is at its limit, the wakes of its other missions find nothing and are used up: whoever makes room gives a
   * permit to the next. So does one that was cancelled (`lost`), or that threw and may have ended all the same. And of those
   * that were passed over since one of their kind was here already, each makes room for the next.
   */
  async #wakeNext({ missionId }: Claim): Promise<void> {
    const { telemetry, wakes } = this.#context
    await wakes.send(missionId, 0).catch((error: unknown) => telemetry.wakeFailed({ missionId, error }))
  }

  /**
   * Missions of an instance that died have no wake until the next sweep: whoever is awake takes up as many at once as it has
   * room for, and goes on with the others as these end. What fails here is found by the sweep.
   */
  #takeUp(orphans: number): void {
    let left = orphans
    const lane = async (): Promise<void> => {
      while (left > 0 && this.#hasRoom()) {
        left--
        if ((await this.runOne()) === undefined) return
      }
    }
    const room = this.#context.settings.concurrency - this.#running.size
    for (let n = 0; n < Math.min(orphans, room); n++) {
      void lane().catch((error: unknown) => {
        if (error !== this.#draining.signal.reason) this.#context.telemetry.sliceFailed(error)
      })
    }
  }

  /** Not waited for, and no failure of the mission that happens to move: the next look is due in half a minute. */
  #lookAtSweep(): void {
    const { clock, telemetry } = this.#context
    if (clock.monotonic() - this.#lookedAtSweep < SWEEP_LOOK_MS) return
    this.#lookedAtSweep = clock.monotonic()
    this.#sweeping = this.#context.sweepIfLate().catch((error: unknown) => telemetry.sweepFailed(error))
  }

  /**
   * A claim passes over rows that are locked, by an answer that is being recorded for example. The wake is the permit for
   * exactly that mission, so it is not given up at once: the mission would lie still until the next sweep. A drain claims
   * nothing more.
   */
  async #claim(): Promise<Held | undefined> {
    const drain = this.#draining.signal
    for (const pause of CLAIM_PAUSES_MS) {
      if (drain.aborted) return undefined
      const held = await this.#claims.next()
      if (held !== undefined || !(await this.#context.missions.anyFree())) return held
      await this.#context.clock.sleep(pause, drain)
    }
    return drain.aborted ? undefined : this.#claims.next()
  }

  async #runSlice(claim: Claim, outside: Outside): Promise<SliceEnd> {
    try {
      return await runSlice(this.#context, claim, outside)
    } catch (error) {
      if (!isUnreadable(error)) throw error
      this.#context.telemetry.missionUnreadable({ ...claim, error })
      return this.#setAside(claim, error)
    }
  }

  /** A journal that this build can't read must not be tried in a circle, nor be given up: a newer build may come. */
  async #setAside(claim: Claim, error: TerminalError): Promise<SliceEnd> {
    const lease = { missionId: claim.missionId, epoch: claim.epoch, instance: this.#context.instance }
    const summary = { error: { code: error.code, message: error.message, hint: error.hint } }
    const change = { status: 'waiting', wakeInSeconds: 300, release: true, summary }
    const { kind } = await this.#context.journal.append(lease, 0, [], change)
    return kind === 'recorded' ? 'waiting' : 'lost'
  }
}

function isUnreadable(error: unknown): error is TerminalError {
  return (
    error instanceof TerminalError && ['journal_unreadable', 'journal_gap', 'profile_unreadable'].includes(error.code)
  )
}
