import { answerQuestion } from '../../src/missions/answer-question.ts'
import { branchMission } from '../../src/missions/branch-mission.ts'
import type { BranchRequest } from '../../src/missions/branch-point.ts'
import { cancelMission } from '../../src/missions/cancel-mission.ts'
import type { Caller, MissionsContext } from '../../src/missions/context.ts'
import { createMission } from '../../src/missions/create-mission.ts'
import { pauseMission, resumeMission } from '../../src/missions/pause-mission.ts'
import { readJournal } from '../../src/missions/read-journal.ts'
import { Refusal } from '../../src/missions/refusal.ts'
import { sendMessage } from '../../src/missions/send-message.ts'
import { goalOf } from '../proof/agent.ts'
import type { Request } from '../proof/history.ts'
import type { Intervention, PlannedMission } from './plans.ts'
import { as } from './scheduler.ts'
import { sleep } from './virtual-time.ts'
import type { World } from './world.ts'

/** A client gives up on an answer after this, and does not know then what became of its request. */
const PATIENCE_MS = 60_000
const AGAIN_MS = 3_000
const ATTEMPTS = 40

type Work<T> = (missions: MissionsContext) => Promise<T>
type Told<T> = { outcome: 'accepted'; result: T } | { outcome: 'refused'; code: string } | { outcome: 'unknown' }

/** Somebody outside, who reaches one living instance or another, and is told something or nothing. */
export class SimClient {
  readonly #world: World
  readonly #caller: Caller

  constructor(world: World, tenantId: string) {
    this.#world = world
    this.#caller = { tenantId, name: 'somebody' }
  }

  /** Says it until it is accepted; gives the mission's id. */
  async create({ plan, profile }: PlannedMission, key: string): Promise<string | undefined> {
    const messages = [{ role: 'user' as const, content: goalOf(plan) }]
    const idempotency = { key, fingerprint: key }
    const request = { messages, profile, files: [], labels: {}, priority: 0, idempotency }
    return this.#repeat(async () => {
      const told = await this.#ask((missions) => createMission(missions, this.#caller, request))
      return this.#noteNew('create', told, key)
    })
  }

  async intervene(missionId: string, { kind }: Intervention, key: string): Promise<string | undefined> {
    const [caller, reason] = [this.#caller, undefined]
    switch (kind) {
      case 'cancel':
        return this.#change({ kind, missionId }, (missions) => cancelMission(missions, caller, missionId, reason))
      case 'pause':
        return this.#change({ kind, missionId }, (missions) => pauseMission(missions, caller, missionId, reason))
      case 'resume':
        return this.#change({ kind, missionId }, (missions) => resumeMission(missions, caller, missionId, reason))
      case 'message': {
        const idempotency = { key, fingerprint: key }
        return this.#change({ kind, missionId, idempotencyKey: key }, (missions) =>
          sendMessage(missions, caller, missionId, 'Mind this.', idempotency),
        )
      }
      default:
        return this.#branch(missionId, { how: kind, content: 'Go on.' }, key)
    }
  }

  async answer(missionId: string, questionId: string, answer: unknown): Promise<void> {
    const about = { kind: 'answer' as const, missionId, questionId, answer }
    await this.#change(about, (missions) => answerQuestion(missions, this.#caller, missionId, { questionId, answer }))
  }

  /** What it reads after what it has read before. */
  async read(missionId: string): Promise<void> {
    const { reads } = this.#world
    const read = reads.get(missionId) ?? { missionId, events: [], whole: false }
    reads.set(missionId, read)
    const page = { after: read.events.length, limit: 20 }
    const told = await this.#ask((missions) => readJournal(missions, this.#caller, missionId, page))
    if (told.outcome !== 'accepted' || read.events.length !== page.after) return
    read.events.push(...told.result.items.map(({ seq, type }) => ({ seq, type })))
  }

  async readUpTo(missionId: string, length: number): Promise<void> {
    const { reads } = this.#world
    for (let n = 0; n < length && (reads.get(missionId)?.events.length ?? 0) < length; n++) await this.read(missionId)
    Object.assign(reads.get(missionId) ?? {}, { whole: true })
  }

  async #branch(missionId: string, request: BranchRequest, key: string): Promise<string | undefined> {
    const idempotency = { key, fingerprint: key }
    return this.#repeat(async () => {
      const told = await this.#ask((missions) =>
        branchMission(missions, this.#caller, missionId, { ...request, idempotency }),
      )
      if (told.outcome === 'refused') return 'refused'
      return this.#noteNew('fork', told, key)
    })
  }

  async #change(
    about: Pick<Request, 'kind' | 'missionId'> & Partial<Request>,
    work: Work<unknown>,
  ): Promise<undefined> {
    await this.#repeat(async () => {
      const told = await this.#ask(work)
      this.#note({ ...about, ...told })
      return told.outcome === 'unknown' ? undefined : told.outcome
    })
    return undefined
  }

  #noteNew(kind: 'create' | 'fork', told: Told<{ mission: { id: string } }>, idempotencyKey: string) {
    const missionId = told.outcome === 'accepted' ? told.result.mission.id : ''
    const code = told.outcome === 'refused' ? told.code : undefined
    this.#note({ kind, missionId, outcome: told.outcome, idempotencyKey, code })
    return missionId === '' ? undefined : missionId
  }

  #note(request: Omit<Request, 'at' | 'tenantId'>): void {
    const { kind, missionId, tenantId, outcome, code, idempotencyKey, questionId, answer } = {
      ...request,
      tenantId: this.#caller.tenantId,
    }
    const { requests, scheduler } = this.#world
    this.#world.trace(undefined, `client: ${kind} ${missionId} ${questionId ?? ''} ${outcome} ${code ?? ''}`)
    requests.push({ kind, missionId, tenantId, outcome, at: scheduler.now, code, idempotencyKey, questionId, answer })
  }

  async #repeat(attempt: () => Promise<string | undefined>): Promise<string | undefined> {
    for (let n = 0; n < ATTEMPTS; n++) {
      const result = await attempt()
      if (result !== undefined) return result
      await sleep(this.#world.scheduler, undefined, AGAIN_MS)
    }
    return undefined
  }

  /** By way of one living instance; its death is no answer, and neither is an error that is no refusal. */
  #ask<T>(work: Work<T>): Promise<Told<T>> {
    const { living, random, scheduler, surprises } = this.#world
    const told = Promise.withResolvers<Told<T>>()
    const silence = scheduler.after(PATIENCE_MS, undefined, () => told.resolve({ outcome: 'unknown' }))
    const settle = (outcome: Told<T>) => {
      silence.cancelled = true
      scheduler.after(random.skewed(5), undefined, () => told.resolve(outcome))
    }
    if (living.length === 0) {
      settle({ outcome: 'unknown' })
      return told.promise
    }
    const { actor, missions } = random.pick(living)
    scheduler.after(random.skewed(5), actor, () =>
      as(actor, () => {
        work(missions).then(
          (result) => settle({ outcome: 'accepted', result }),
          (error: unknown) => {
            if (error instanceof Refusal) return settle({ outcome: 'refused', code: error.code })
            if (error instanceof TypeError) surprises.push(String(error.stack))
            settle({ outcome: 'unknown' })
          },
        )
      }),
    )
    return told.promise
  }
}
