import type { Violation } from '../proof/history.ts'
import type { Snapshot } from './backend.ts'
import { SIM_TENANTS } from './tenants.ts'
import type { World } from './world.ts'

/** Two sweeps and a lease: what could move and did not in this time waits for nothing that will come. */
const STANDSTILL_MS = 150_000
/** A mission that its instances die of is given up after so many times, and others that wait wait for it. */
const KILLS = 5
const LEASE_MS = 30_000
const SWEEP_MS = 60_000
/** A mission that an instance works on may be in a tool or a model call for so long. */
const LONGEST_STEP_MS = 300_000

const LIMITED = new Set(SIM_TENANTS.flatMap(({ id, maxRunning }) => (maxRunning === undefined ? [] : [id])))

const AT_REST: ReadonlySet<string> = new Set(['completed', 'failed', 'cancelled', 'paused'])

/** Looks at healthy times, again and again, whether missions move that could (I8). */
export class Standstill {
  readonly violations: Violation[] = []
  readonly #world: World
  /** When it looked first, which is when the last fault was over. */
  #begunAt: number | undefined
  /** Since when each mission could move and looks as it does. */
  readonly #since = new Map<string, { looks: string; at: number }>()

  constructor(world: World) {
    this.#world = world
  }

  /** A tenant has no more on the move than it may, once those that were taken over by mistake are given up. */
  #lookAtLimits(missions: Snapshot['missions'], instances: Snapshot['instances']): void {
    const { now } = this.#world.scheduler
    this.#begunAt ??= now
    if (now - this.#begunAt < LEASE_MS + SWEEP_MS) return
    const living = new Set(instances.filter(({ aliveUntil }) => aliveUntil > now).map(({ id }) => id))
    for (const { id: tenantId, maxRunning } of SIM_TENANTS) {
      const running = missions.filter((one) => one.tenantId === tenantId && one.owner !== null && living.has(one.owner))
      if (maxRunning === undefined || running.length <= maxRunning) continue
      const what = `${running.length} missions of tenant ${tenantId} are on the move, of which ${maxRunning} may be.`
      if (!this.violations.some(({ invariant }) => invariant === 'room')) {
        this.violations.push({ invariant: 'room', counts: 'illegal', what })
      }
    }
  }

  look({ missions, events, instances }: Snapshot): void {
    const { now } = this.#world.scheduler
    this.#lookAtLimits(missions, instances)
    const living = new Set(instances.filter(({ aliveUntil }) => aliveUntil > now).map(({ id }) => id))
    const killers = events.filter(
      ({ type, data }) => type === 'mission.created' && JSON.stringify(data).includes('kills'),
    )
    const patience = killers.length * KILLS * (LEASE_MS + SWEEP_MS)
    const lengths = new Map<string, number>()
    for (const { missionId } of events) lengths.set(missionId, (lengths.get(missionId) ?? 0) + 1)
    for (const { id, tenantId, status, epoch, owner, wakeAt } of missions) {
      const owned = owner !== null && living.has(owner)
      const due = !AT_REST.has(status) && (owned || (wakeAt !== null && wakeAt <= now))
      // One of a tenant at its limit waits for the others.
      const others = LIMITED.has(tenantId) ? missions.filter((other) => other.tenantId === tenantId) : []
      const beside = others.map((other) => `${other.epoch}.${lengths.get(other.id)}`).join()
      const looks = `${status} ${epoch} ${lengths.get(id)} ${owned ? owner : 'free'} ${beside}`
      const before = this.#since.get(id)
      if (!due || before?.looks !== looks) {
        this.#since.set(id, { looks: due ? looks : 'at rest', at: now })
        continue
      }
      const stoodMs = now - before.at
      if (stoodMs <= (owned ? LONGEST_STEP_MS : STANDSTILL_MS) + patience) continue
      const what = `It could have moved for ${stoodMs} ms and did not: ${looks}.`
      if (!this.violations.some(({ missionId }) => missionId === id)) {
        this.violations.push({ invariant: 'I8', counts: 'stuck', missionId: id, what })
      }
    }
  }
}
