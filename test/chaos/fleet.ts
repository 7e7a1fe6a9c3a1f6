import { appendFileSync } from 'node:fs'
import { v7 as uuidv7 } from 'uuid'
import { startWorker, type WorkerProcess } from '../proof/worker/start-worker.ts'
import type { GivenSettings } from '../proof/worker/settings.ts'
import { pause, recorderNow } from './clock.ts'

export type State = 'starting' | 'running' | 'frozen' | 'draining' | 'gone'

/** One place for a worker, with a way to the database of its own; who dies is followed by another one with a new id. */
export interface Slot {
  /** By way of the slot's proxy. */
  databaseUrl: string
  worker: WorkerProcess | undefined
  state: State
  startedAt: number
}

export interface FleetSettings extends Pick<GivenSettings, 'leaseMs' | 'storageConnectionString' | 'ledger'> {
  sweepMs: number
  script: string
  /** Everything that workers say goes to this file, one line each. */
  log: string
}

/** What a platform gives a process that it has asked to end. */
const DRAIN_WITHIN_MS = 15_000

/** Wakes that come late come by 4 s at most; the sweep, every 5 s, makes up for those that never come. */
export const WAKE_FAULTS = { lose: 0.05, duplicate: 0.1, delay: 0.1, delayMs: 4_000 }

/** The workers of a run. Nothing here is random: the nemesis says what happens to whom. */
export class Fleet {
  readonly slots: Slot[]
  /** Ends that nobody asked for, in words: a worker that crashes is a fault of the engine's own. */
  readonly unasked: string[] = []
  /** How often each thing was told by a worker's telemetry. */
  readonly told = new Map<string, number>()
  readonly #settings: FleetSettings
  /** Those whose end was asked for. */
  readonly #ending = new Set<WorkerProcess>()
  #seed: number
  #isOver = false

  constructor(databaseUrls: readonly string[], settings: FleetSettings, seed: number) {
    this.slots = databaseUrls.map((databaseUrl) => {
      return { databaseUrl, worker: undefined, state: 'gone', startedAt: 0 }
    })
    this.#settings = settings
    this.#seed = seed
    // One that stands still would stay so for ever.
    process.once('exit', () => {
      for (const { worker, state } of this.slots) {
        if (worker !== undefined && state !== 'gone') process.kill(worker.pid, 'SIGKILL')
      }
    })
  }

  get running(): Slot[] {
    return this.slots.filter(({ state }) => state === 'running')
  }

  /** @param wakeFaults whether its wakes may be lost, come twice or late */
  async start(slot: Slot, { wakeFaults }: { wakeFaults: boolean }): Promise<void> {
    if (this.#isOver || slot.state !== 'gone') return
    slot.state = 'starting'
    const instance = uuidv7()
    const { leaseMs, sweepMs, storageConnectionString, ledger, script } = this.#settings
    const settings: GivenSettings = {
      instance,
      databaseUrl: slot.databaseUrl,
      storageConnectionString,
      leaseMs,
      sliceMs: 5_000,
      lanes: 16,
      sweepEveryMs: sweepMs,
      ledger,
      invisibleMs: 5_000,
      modelMs: 20,
      ...(wakeFaults ? { wakeFaults: { seed: this.#seed++, ...WAKE_FAULTS } } : {}),
    }
    const worker = await startWorker(settings, { script, onSaid: (said) => this.#heard(instance, said) })
    Object.assign(slot, { worker, state: 'running', startedAt: recorderNow() })
    void this.#followToItsEnd(slot, worker)
  }

  async #followToItsEnd(slot: Slot, worker: WorkerProcess): Promise<void> {
    const exit = await worker.exited
    this.#write(worker.instance, { said: 'exited', ...exit })
    if (!this.#ending.has(worker)) this.unasked.push(`${worker.instance} with ${exit.signal ?? exit.code}`)
    slot.state = 'gone'
  }

  async kill(slot: Slot): Promise<void> {
    if (slot.worker !== undefined) this.#ending.add(slot.worker)
    await slot.worker?.kill()
  }

  /** Stands still for so long; then it goes on as if nothing had been, unless somebody has killed it. */
  async freeze(slot: Slot, forMs: number): Promise<void> {
    const { worker } = slot
    if (worker === undefined || slot.state !== 'running') return
    worker.stop()
    slot.state = 'frozen'
    await pause(forMs)
    if (slot.worker !== worker || slot.state !== 'frozen') return
    worker.cont()
    slot.state = 'running'
  }

  /** False where it did not end in time and was killed. */
  async drain(slot: Slot): Promise<boolean> {
    const { worker } = slot
    if (worker === undefined || slot.state !== 'running') return true
    slot.state = 'draining'
    this.#ending.add(worker)
    const late = pause(DRAIN_WITHIN_MS).then(() => 'late' as const)
    const ended = await Promise.race([worker.drain(), late])
    if (ended !== 'late') {
      if (ended.code !== 0) this.unasked.push(`${worker.instance} in its drain with ${ended.signal ?? ended.code}`)
      return ended.code === 0
    }
    await worker.kill()
    return false
  }

  /** Nobody is started any more, and who is there drains; gives how many had to be killed. */
  async stop(): Promise<number> {
    this.#isOver = true
    while (this.slots.some(({ state }) => state === 'starting')) await pause(50)
    for (const slot of this.slots) {
      if (slot.state !== 'frozen') continue
      slot.worker?.cont()
      slot.state = 'running'
    }
    const drained = await Promise.all(this.slots.map((slot) => this.drain(slot)))
    return drained.filter((clean) => !clean).length
  }

  #heard(instance: string, said: { said: string; what?: string; error?: string }): void {
    if (said.said === 'told') {
      const what = `${said.what}${said.error === undefined ? '' : ` ${said.error}`}`
      this.told.set(what, (this.told.get(what) ?? 0) + 1)
    }
    this.#write(instance, said)
  }

  #write(instance: string, said: object): void {
    appendFileSync(this.#settings.log, `${JSON.stringify({ at: Math.round(recorderNow()), instance, ...said })}\n`)
  }
}
