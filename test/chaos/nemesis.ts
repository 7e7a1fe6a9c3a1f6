import type { Fault } from '../proof/history.ts'
import { Random } from '../sim/random.ts'
import { untilActing } from './act-watch.ts'
import { pause, recorderNow } from './clock.ts'
import type { Fleet, Slot } from './fleet.ts'
import type { Place } from './place.ts'
import type { ChaosProxy } from './proxy.ts'

export interface NemesisParts {
  place: Place
  fleet: Fleet
  /** In the order of the fleet's slots, and then those of the clients. */
  proxies: readonly ChaosProxy[]
  /** The tools' own record. */
  ledger: string
  leaseMs: number
  seed: number
  /** Whether the first worker is only frozen, never ended. */
  elder: boolean
  log(line: string): void
}

/** What workers say to the database, by the names of the statements, and how the API's transactions end. */
const OF_WORKERS = ['append_', 'append_', 'append_with_changes', 'claim_missions', 'instance_beat', 'control_poll']
const OF_CLIENTS = ['commit']
/** Half of what befalls a worker comes while it acts. */
const WHILE_ACTING = 0.5
const ACTING_WITHIN_MS = 1_500
const CUT_WITHIN_MS = 2_000

/** Breaks things until it is stopped; everything that it did is in `faults`. Several of it are under way at once. */
export class Nemesis {
  readonly faults: Fault[] = []
  readonly #parts: NemesisParts
  readonly #stopped = new AbortController()
  readonly #loops: Promise<void>[] = []
  /** What befalls workers, and lasts. */
  readonly #underWay = new Set<Promise<void>>()
  /** While it is set, nothing new befalls a worker. */
  #isQuiet = false

  constructor(parts: NemesisParts) {
    this.#parts = parts
  }

  start(): void {
    this.#every('workers', [1_500, 5_000], (random) => this.#hurtWorker(random))
    this.#every('database', [5_000, 10_000], (random) => this.#breakDatabase(random))
    this.#every('connections', [200, 1_200], (random) => this.#hurtConnections(random))
    this.#every('storage', [15_000, 30_000], (random) => this.#breakStorage(random))
  }

  /** Begins nothing more, undoes what lasts, and gives when the last fault was over. */
  async stop(): Promise<number> {
    this.#stopped.abort()
    for (const proxy of this.#parts.proxies) proxy.heal()
    await Promise.all(this.#loops)
    await Promise.all(this.#underWay)
    for (const proxy of this.#parts.proxies) proxy.heal()
    await Promise.all(this.#parts.fleet.slots.map((slot) => this.#parts.fleet.start(slot, { wakeFaults: false })))
    return recorderNow()
  }

  #every(name: string, [least, most]: [number, number], strike: (random: Random) => Promise<void>): void {
    const random = new Random(this.#parts.seed, name)
    const { signal } = this.#stopped
    const run = async () => {
      for (;;) {
        await this.#rest(random.int(least, most))
        if (signal.aborted) return
        await strike(random)
      }
    }
    this.#loops.push(run())
  }

  /** Ends early where the nemesis is stopped. */
  async #rest(ms: number): Promise<void> {
    const { signal } = this.#stopped
    if (signal.aborted) return
    const stopped = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
    await Promise.race([pause(ms), stopped])
  }

  /** @param work takes as long as the fault lasts, and may say more about it */
  async #during(fault: Omit<Fault, 'at'>, work: (noted: Fault) => Promise<unknown>): Promise<void> {
    const noted: Fault = { ...fault, at: recorderNow() }
    this.faults.push(noted)
    this.#parts.log(`${fault.kind}${fault.instance === undefined ? '' : ` ${fault.instance}`}`)
    await work(noted)
    noted.until = recorderNow()
  }

  async #hurtWorker(random: Random): Promise<void> {
    const { fleet, elder, leaseMs } = this.#parts
    const kind = random.next()
    const frozenMs = leaseMs * (1.2 + random.next() * 1.5)
    const awayMs = random.int(0, 3_000)
    const slot = random.pick(fleet.slots)
    const instance = slot.worker?.instance
    if (random.chance(WHILE_ACTING) && slot.state === 'running' && instance !== undefined) {
      await untilActing(this.#parts.ledger, instance, ACTING_WITHIN_MS)
    }
    if (slot.state !== 'running' || this.#isQuiet) return
    const isElder = elder && slot === fleet.slots[0]
    if (kind < 0.3 || isElder) this.#follow(this.#freeze(slot, frozenMs))
    else if (kind > 0.97 && !elder) for (const one of fleet.running) this.#follow(this.#end('kill', one, awayMs))
    else this.#follow(this.#end(kind < 0.75 ? 'kill' : 'drain', slot, awayMs))
  }

  #follow(work: Promise<void>): void {
    this.#underWay.add(work)
    void work.finally(() => this.#underWay.delete(work))
  }

  async #freeze(slot: Slot, ms: number): Promise<void> {
    await this.#during({ kind: 'freeze', instance: slot.worker?.instance }, async (noted) => {
      const frozen = this.#parts.fleet.freeze(slot, ms)
      noted.owned = await this.#owned(noted)
      await frozen
    })
  }

  async #end(kind: 'kill' | 'drain', slot: Slot, awayMs: number): Promise<void> {
    const { fleet } = this.#parts
    await this.#during({ kind, instance: slot.worker?.instance }, async (noted) => {
      if (kind === 'kill' || !(await fleet.drain(slot))) {
        await fleet.kill(slot)
        // Whatever it began, it began before.
        Object.assign(noted, { kind: 'kill', at: recorderNow(), owned: await this.#owned(noted) })
      }
      await this.#rest(awayMs)
    })
    await fleet.start(slot, { wakeFaults: !this.#stopped.signal.aborted })
  }

  /** What a dead or frozen instance owns: it can't give it back, so the rows still say so until somebody takes over. */
  #owned({ instance }: Fault): Promise<{ missionId: string; epoch: number }[]> {
    const owned = 'select id as "missionId", epoch from taskforce.missions where owner = $1'
    return this.#parts.place.sql(owned, [instance])
  }

  async #breakDatabase(random: Random): Promise<void> {
    const end = random.chance(0.2) ? 'kill' : 'crash'
    const awayMs = random.int(0, 2_000)
    await this.#during({ kind: `database-${end}` }, () => this.#parts.place.breakDatabase(end, awayMs))
  }

  async #hurtConnections(random: Random): Promise<void> {
    const { fleet, proxies, leaseMs } = this.#parts
    const proxy = random.pick(proxies)
    const kind = random.next()
    const ms = random.int(500, 6_000)
    const statement = random.pick(proxies.indexOf(proxy) < fleet.slots.length ? OF_WORKERS : OF_CLIENTS)
    const at = recorderNow()
    const note = (name: string, hit: boolean, lasts = 0) =>
      void (hit && this.faults.push({ kind: name, at, until: recorderNow() + lasts }))
    if (kind < 0.3) return note('answer-lost', await proxy.cut('answer', [statement], CUT_WITHIN_MS))
    if (kind < 0.5) return note('request-cut', await proxy.cut('request', [statement], CUT_WITHIN_MS))
    if (kind < 0.65) return note('reset', proxy.reset('one') > 0)
    if (kind < 0.7) return note('reset-all', proxy.reset('all') > 0)
    if (kind < 0.8) return note('half-open', proxy.hang('one', ms) > 0, ms)
    if (kind < 0.83) return note('half-open-for-ever', proxy.hang('one') > 0)
    // Longer than a lease: its tools go on until it notices by itself.
    const apartMs = leaseMs * (1.2 + random.next())
    if (kind < 0.9) return note('partition', proxy.hang('all', apartMs) > 0, apartMs)
    proxy.slowDown(random.int(20, 300), ms)
    note('latency', true, ms)
  }

  async #breakStorage(random: Random): Promise<void> {
    const end = random.chance(0.3) ? 'kill' : 'restart'
    const awayMs = random.int(0, 2_000)
    const broken = () => this.#parts.place.breakStorage(end, awayMs)
    if (end === 'restart') return this.#during({ kind: 'storage-restart' }, broken)
    this.#isQuiet = true
    await Promise.all(this.#underWay)
    await this.#during({ kind: 'storage-kill' }, () => this.#withoutClaims(broken))
    this.#isQuiet = false
  }

  /**
   * A claim that the store itself forgets is not the engine's fault, so SIGKILL comes only where nothing is left to be saved: the
   * workers, who alone make claims, stand still until then, mostly for less than a lease.
   */
  async #withoutClaims(kill: () => Promise<void>): Promise<void> {
    const { place, fleet } = this.#parts
    const workers = fleet.running.flatMap(({ worker }) => worker ?? [])
    const frozen = workers.map(({ instance }): Fault => ({ kind: 'freeze', instance, at: recorderNow() }))
    this.faults.push(...frozen)
    for (const worker of workers) worker.stop()
    await place.storageSaved()
    const killed = kill()
    for (const worker of workers) worker.cont()
    for (const one of frozen) one.until = recorderNow()
    await killed
  }
}
