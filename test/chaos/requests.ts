import { v7 as uuidv7 } from 'uuid'
import type { Caller, MissionsContext } from '../../src/missions/context.ts'
import { Refusal } from '../../src/missions/refusal.ts'
import type { Request } from '../proof/history.ts'
import type { Random } from '../sim/random.ts'
import type { Api } from './api.ts'
import { pause, recorderNow } from './clock.ts'

/** What is asked for, without what comes of it. */
export type Asked = Pick<Request, 'kind' | 'tenantId' | 'idempotencyKey' | 'questionId' | 'answer'> & {
  /** Of the mission that is to be changed; absent for a new one. */
  missionId?: string
}

/** Does the request and gives the mission's id. */
export type Work = (missions: MissionsContext, caller: Caller) => Promise<string>

/** A client gives up after so many tries; the shortest of them are a second apart. */
const TRIES = 40
const AGAIN_MS = 1_000

/** Sends requests to any of the instances, and writes down what each was told. */
export class Requests {
  readonly all: Request[] = []
  readonly #apis: readonly Api[]
  readonly #random: Random

  constructor(apis: readonly Api[], random: Random) {
    this.#apis = apis
    this.#random = random
  }

  /** Sends it once. A failure that is no refusal leaves it open whether it was done. */
  async once(asked: Asked, work: Work): Promise<Request> {
    const { missions } = this.#random.pick(this.#apis)
    const newId = uuidv7()
    const sent: Omit<Request, 'outcome' | 'at'> = { missionId: newId, ...asked }
    const record = (told: Pick<Request, 'outcome'> & Partial<Request>): Request => {
      const request = { ...sent, ...told, at: recorderNow() }
      this.all.push(request)
      return request
    }
    try {
      const caller = { tenantId: asked.tenantId, name: 'client' }
      const missionId = await work({ ...missions, newId: () => newId }, caller)
      return record({ outcome: 'accepted', missionId })
    } catch (error) {
      if (error instanceof Refusal) return record({ outcome: 'refused', code: error.code })
      return record({ outcome: 'unknown' })
    }
  }

  /** Reads something; undefined where it got no answer. */
  async look<T>(work: (missions: MissionsContext, caller: Caller) => Promise<T>, of: { tenantId: string }) {
    const { missions } = this.#random.pick(this.#apis)
    return work(missions, { tenantId: of.tenantId, name: 'client' }).catch(() => undefined)
  }

  /** Sends it until it is answered; for what may safely be repeated. */
  async answered(asked: Asked, work: Work): Promise<Request> {
    for (let tries = 1; ; tries++) {
      const request = await this.once(asked, work)
      if (request.outcome !== 'unknown' || tries === TRIES) return request
      await pause(AGAIN_MS * (1 + this.#random.next()))
    }
  }
}
