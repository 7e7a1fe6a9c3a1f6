import type { Fault, Read, Request, ToolRun, Violation } from '../proof/history.ts'
import { plannedTools } from '../proof/agent.ts'
import type { Backend } from './backend.ts'
import { SimEffects } from './effects.ts'
import { Faults } from './faults.ts'
import { startInstance, type SimInstance } from './instance.ts'
import { SimQueue } from './queue.ts'
import { Random } from './random.ts'
import { Scheduler, type Actor } from './scheduler.ts'
import type { SimServer } from './server.ts'

/** 2026-01-01. */
export const START_MS = 1_767_225_600_000

const LEASE_MS = 30_000
const LONGEST_SKEW_MS = 2 * 3_600_000
/** How long the platform takes to notice that a process is gone. */
const RESTARTED_WITHIN_MS = 20_000

/** Everything of one history outside of the code under test, and what it has seen. */
export class World {
  readonly settings = { leaseMs: LEASE_MS }
  readonly scheduler = new Scheduler(START_MS)
  readonly random: Random
  readonly faults: Faults
  readonly server: SimServer
  readonly queue: SimQueue
  readonly effects: SimEffects
  readonly instances: SimInstance[] = []
  /** For the use cases, which only look at what a tool declares. */
  readonly toolList = plannedTools({
    instance: '',
    now: () => 0,
    sleep: async () => undefined,
    begin: () => undefined,
    end: () => undefined,
  })
  readonly toolRuns: ToolRun[] = []
  readonly requests: Request[] = []
  readonly reads = new Map<string, Read>()
  readonly faultLog: Fault[] = []
  /** What every part did, in the order of time; kept only where somebody wants to read it. */
  readonly lines: string[] | undefined
  /** Rules that it broke, of those that a history does not tell of. */
  readonly violations: Violation[] = []
  /** Errors that nobody expects: of the code under test, and of the simulation. */
  readonly surprises: string[] = []
  readonly #deaths = new Map<Actor, (() => void)[]>()
  /** Of all lines: equal for equal histories. */
  traced = 0

  constructor(seed: number, backend: Backend, options: { only?: ReadonlySet<string>; trace?: boolean } = {}) {
    this.random = new Random(seed, 'world')
    this.faults = new Faults(seed, options.only)
    this.lines = options.trace === true ? [] : undefined
    this.server = {
      backend,
      scheduler: this.scheduler,
      random: this.random,
      faults: this.faults,
      state: 'up',
      cutOff: new Map(),
      sessions: 0,
      underWay: 0,
      beatenAt: 0,
      polledAt: 0,
      kill: (actor, why) => this.kill(actor, why),
      trace: (actor, text) => this.trace(actor, text),
    }
    this.queue = new SimQueue(this.server, () => this.#taking())
    this.effects = new SimEffects(this.server)
  }

  get living(): SimInstance[] {
    return this.instances.filter(({ actor }) => !actor.dead)
  }

  start(): SimInstance {
    const instance = startInstance(this)
    this.instances.push(instance)
    return instance
  }

  /** As SIGKILL does; another one takes its place. */
  kill(actor: Actor, why: string): void {
    if (actor.dead) return
    this.trace(actor, `is killed: ${why}`)
    actor.dead = true
    const instance = this.instances.find((one) => one.actor === actor)
    const kind = instance?.draining === true && why === 'drained' ? 'drained' : 'kill'
    this.faultLog.push({ kind, why, at: this.scheduler.now, instance: instance?.id, owned: this.#ownedBy(instance) })
    for (const noticed of this.#deaths.get(actor) ?? []) noticed()
    this.scheduler.after(this.random.int(0, RESTARTED_WITHIN_MS), undefined, () => this.start())
  }

  freeze(instance: SimInstance, ms: number): void {
    const { actor, id } = instance
    const until = this.scheduler.now + ms
    this.trace(actor, `stands still for ${ms} ms`)
    actor.frozenUntil = until
    this.faultLog.push({ kind: 'freeze', at: this.scheduler.now, until, instance: id, owned: this.#ownedBy(instance) })
  }

  onDeath(actor: Actor, noticed: () => void): void {
    this.#deaths.set(actor, [...(this.#deaths.get(actor) ?? []), noticed])
  }

  skew(): number {
    return this.random.chance(0.5) ? 0 : this.random.int(-LONGEST_SKEW_MS, LONGEST_SKEW_MS)
  }

  trace(actor: Actor | undefined, text: string): void {
    const line = `${((this.scheduler.now - START_MS) / 1000).toFixed(3).padStart(9)} ${(actor?.name ?? '').padEnd(4)} ${text}`
    for (let i = 0; i < line.length; i++) this.traced = (Math.imul(this.traced, 31) + line.charCodeAt(i)) | 0
    this.lines?.push(line)
  }

  /** What the app would log. */
  tells(actor: Actor, name: string, about: unknown, event: unknown): void {
    if (name === 'recorded') {
      const { seq, type } = event as { seq: number; type: string }
      return this.trace(actor, `recorded ${(about as { missionId: string }).missionId} ${seq} ${type}`)
    }
    const error = about instanceof Error ? about : (about as { error?: unknown } | undefined)?.error
    this.trace(actor, `tells ${name}${error instanceof Error ? `: ${error.message}` : ''}`)
    if (['toolCrashed', 'missionUnreadable'].includes(name) || error instanceof TypeError) {
      this.surprises.push(`${name}: ${error instanceof Error ? error.stack : JSON.stringify(about)}`)
    }
  }

  /** The missions of an instance; a database that takes its time to tell is not asked. */
  #ownedBy(instance: SimInstance | undefined): Fault['owned'] {
    const now = this.server.backend.glance?.()
    return now?.missions.flatMap(({ id, epoch, owner }) =>
      owner !== null && owner === instance?.id ? [{ missionId: id, epoch }] : [],
    )
  }

  #taking() {
    return this.instances.filter(
      ({ actor, draining }) => !actor.dead && !draining && actor.frozenUntil <= this.scheduler.now,
    )
  }
}
