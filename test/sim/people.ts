import type { SimClient } from './client.ts'
import type { Snapshot } from './backend.ts'
import type { PlannedMission } from './plans.ts'
import { Random } from './random.ts'
import { TENANT_IDS } from './tenants.ts'
import { sleep } from './virtual-time.ts'
import type { World } from './world.ts'

const LOOK_EVERY_MS = 4_000

/** Creates the missions at their times, does to them what was planned, and answers, reads, and puts right what is left over. */
export class People {
  readonly #world: World
  readonly #random: Random
  readonly #clients: readonly SimClient[]
  readonly #plans: readonly PlannedMission[]
  #creating = 0
  #busy = 0
  #home = false

  constructor(world: World, seed: number, clients: readonly SimClient[], plans: readonly PlannedMission[]) {
    this.#world = world
    this.#random = new Random(seed, 'people')
    this.#clients = clients
    this.#plans = plans
  }

  /** Whether nobody means to do anything more, or waits for an answer. */
  get idle(): boolean {
    return this.#creating + this.#busy === 0
  }

  begin(): void {
    this.#plans.forEach((plan, n) => {
      this.#creating++
      this.#world.scheduler.after(plan.createdMs, undefined, () => void this.#create(plan, n))
    })
  }

  async #create(plan: PlannedMission, n: number): Promise<void> {
    const client = this.#clients[plan.tenant] as SimClient
    const id = await client.create(plan, `create ${n}`)
    this.#creating--
    if (id === undefined) return
    plan.interventions.forEach((intervention, k) => {
      this.#do(async () => {
        await sleep(this.#world.scheduler, undefined, intervention.afterMs)
        await client.intervene(id, intervention, `${intervention.kind} ${n} ${k}`)
      })
    })
  }

  /** One look at everything: questions that are open are answered now and then, and after the faults are over always. */
  look(snapshot: Snapshot, healed: boolean): void {
    for (const { id, tenantId, status } of snapshot.missions) {
      const client = this.#clients[TENANT_IDS.indexOf(tenantId)] as SimClient
      if (this.#random.chance(0.3)) this.#do(() => client.read(id))
      if (['completed', 'failed', 'cancelled'].includes(status)) continue
      if (healed && status === 'paused') this.#do(() => client.intervene(id, { kind: 'resume', afterMs: 0 }, ''))
      for (const { questionId, outcome, ends } of openQuestions(snapshot, id)) {
        if (ends && isLeftAlone(id)) continue
        if (!healed && !this.#random.chance(0.2)) continue
        this.#do(() => client.answer(id, questionId, outcome ? { outcome: 'happened' } : 'This'))
        // Two people at once, now and then.
        if (this.#random.chance(0.3)) {
          this.#do(() => client.answer(id, questionId, outcome ? { outcome: 'did_not_happen' } : 'That'))
        }
      }
    }
  }

  /** Reads on what everybody has read so far, to the end. */
  readAll({ missions, events }: Snapshot): void {
    for (const { id, tenantId } of missions) {
      const client = this.#clients[TENANT_IDS.indexOf(tenantId)] as SimClient
      const length = events.filter(({ missionId }) => missionId === id).length
      this.#do(() => client.readUpTo(id, length))
    }
  }

  /** From now on nobody looks any more. */
  goHome(): void {
    this.#home = true
  }

  lookEvery(snapshot: () => Promise<Snapshot> | Snapshot, healed: () => boolean): void {
    this.#world.scheduler.after(LOOK_EVERY_MS, undefined, async () => {
      if (this.#home) return
      this.look(await snapshot(), healed())
      this.lookEvery(snapshot, healed)
    })
  }

  #do(work: () => Promise<unknown>): void {
    this.#busy++
    void work().finally(() => this.#busy--)
  }
}

/** Nobody looks at some missions' questions that have a deadline. */
function isLeftAlone(missionId: string): boolean {
  return parseInt(missionId.slice(-2), 16) % 3 === 0
}

interface OpenQuestion {
  questionId: string
  /** What became of a call is asked, which has an answer of another form. */
  outcome: boolean
  /** It has a deadline. */
  ends: boolean
}

function openQuestions(snapshot: Snapshot, missionId: string): OpenQuestion[] {
  const open = new Map<string, boolean>()
  for (const { missionId: id, type, data } of snapshot.events) {
    if (id !== missionId) continue
    const { questionId, deadline } = data as { questionId: string; deadline?: string }
    if (type === 'question.asked') open.set(questionId, deadline !== undefined)
    if (type === 'question.answered' || type === 'question.expired') open.delete(questionId)
  }
  return [...open].map(([questionId, ends]) => ({ questionId, outcome: questionId.startsWith('u'), ends }))
}
