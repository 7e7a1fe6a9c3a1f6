import { branchMission, type BranchMissionRequest } from '../../src/missions/branch-mission.ts'
import { cancelMission } from '../../src/missions/cancel-mission.ts'
import { createMission } from '../../src/missions/create-mission.ts'
import { pauseMission, resumeMission } from '../../src/missions/pause-mission.ts'
import { sendMessage } from '../../src/missions/send-message.ts'
import { goalOf } from '../proof/agent.ts'
import type { Request } from '../proof/history.ts'
import { Random } from '../sim/random.ts'
import { pause } from './clock.ts'
import { planMission, type Intervention, type PlannedMission } from './plans.ts'
import type { Asked, Requests, Work } from './requests.ts'

const LONGEST_PAUSE_MS = 4_000

export interface Accepted {
  missionId: string
  tenantId: string
}

/** People and programs that want missions, and change their minds. */
export class Clients {
  readonly #requests: Requests
  readonly #tenants: readonly string[]
  readonly #seed: number
  readonly #onAccepted: (mission: Accepted, planned: PlannedMission) => void

  constructor(
    { requests, tenants, seed }: { requests: Requests; tenants: readonly string[]; seed: number },
    onAccepted: (mission: Accepted, planned: PlannedMission) => void,
  ) {
    this.#requests = requests
    this.#tenants = tenants
    this.#seed = seed
    this.#onAccepted = onAccepted
  }

  /** One mission from its creation to the last that its client wants of it. */
  async one(number: number): Promise<void> {
    const random = new Random(this.#seed, `mission ${number}`)
    const planned = planMission(random, number, this.#tenants.length)
    const tenantId = this.#tenants[planned.tenant] as string
    const accepted = await this.#create(planned, tenantId)
    if (accepted === undefined) return
    this.#onAccepted(accepted, planned)
    await Promise.all(planned.interventions.map((change) => this.#intervene(accepted, change, random)))
  }

  async #create(planned: PlannedMission, tenantId: string): Promise<Accepted | undefined> {
    const { plan, profile, priority, key, twice } = planned
    const goal = goalOf(plan)
    const asked: Asked = { kind: 'create', tenantId, idempotencyKey: key }
    const idempotency = key === undefined ? undefined : { key, fingerprint: goal }
    const work: Work = async (missions, caller) => {
      const messages = [{ role: 'user' as const, content: goal }]
      const request = { messages, profile, files: [], labels: {}, priority, idempotency }
      return (await createMission(missions, caller, request)).mission.id
    }
    if (key === undefined) return acceptedOf(await this.#requests.once(asked, work))
    const copies = Array.from({ length: twice ? 2 : 1 }, () => this.#requests.answered(asked, work))
    const [first] = await Promise.all(copies)
    return first && acceptedOf(first)
  }

  async #intervene(mission: Accepted, { kind, afterMs }: Intervention, random: Random): Promise<void> {
    const { missionId, tenantId } = mission
    await pause(afterMs)
    const key = `${kind} ${missionId} ${afterMs}`
    const asked = (what: Request['kind']): Asked => ({ kind: what, missionId, tenantId })
    if (kind === 'cancel') {
      await this.#requests.answered(asked('cancel'), async (missions, caller) => {
        return (await cancelMission(missions, caller, missionId, 'no longer needed')).mission.id
      })
    }
    if (kind === 'message') {
      await this.#requests.answered({ ...asked('message'), idempotencyKey: key }, async (missions, caller) => {
        const idempotency = { key, fingerprint: 'message' }
        return (await sendMessage(missions, caller, missionId, 'Something more to know', idempotency)).mission.id
      })
    }
    if (kind === 'pause') await this.#pauseAndResume(mission, random.int(0, LONGEST_PAUSE_MS))
    if (kind === 'fork') await this.#branch(mission, { how: 'fork', content: random.pick([undefined, 'Go on']) }, key)
    if (kind === 'go-on') await this.#branch(mission, { how: 'continue', content: 'And now?' }, key)
  }

  async #pauseAndResume({ missionId, tenantId }: Accepted, forMs: number): Promise<void> {
    const paused = await this.#requests.answered({ kind: 'pause', missionId, tenantId }, async (missions, caller) => {
      return (await pauseMission(missions, caller, missionId, undefined)).mission.id
    })
    if (paused.outcome === 'refused') return
    await pause(forMs)
    await this.resume({ missionId, tenantId })
  }

  async resume({ missionId, tenantId }: Accepted): Promise<void> {
    await this.#requests.answered({ kind: 'resume', missionId, tenantId }, async (missions, caller) => {
      return (await resumeMission(missions, caller, missionId, undefined)).mission.id
    })
  }

  async #branch(from: Accepted, request: BranchMissionRequest, key: string): Promise<void> {
    const { missionId: parent, tenantId } = from
    await this.#requests.answered({ kind: 'fork', tenantId, idempotencyKey: key }, async (missions, caller) => {
      const idempotency = { key, fingerprint: request.how }
      return (await branchMission(missions, caller, parent, { ...request, idempotency })).mission.id
    })
  }
}

function acceptedOf({ outcome, missionId, tenantId }: Request): Accepted | undefined {
  return outcome === 'accepted' ? { missionId, tenantId } : undefined
}
