import { answerQuestion } from '../../src/missions/answer-question.ts'
import { readMission } from '../../src/missions/read-mission.ts'
import type { MissionView } from '../../src/missions/view.ts'
import { Random } from '../sim/random.ts'
import { pause } from './clock.ts'
import type { Accepted, Clients } from './clients.ts'
import type { Place } from './place.ts'
import type { Requests } from './requests.ts'

type Question = NonNullable<MissionView['questions']>[number]

const LOOK_MS = 500
const SLOWEST_MS = 4_000
/** Of those with a deadline: a third runs out. */
const IGNORED = 0.35
/** Two people answer at the same moment, each their own. */
const RACED = 0.15
const LOOKS_AT_ONCE = 4

/** Those whom missions ask. They see what is asked, think about it, and answer or do not. */
export class People {
  readonly #place: Place
  readonly #requests: Requests
  readonly #clients: Clients
  readonly #random: Random
  /** Questions that somebody deals with, by mission. */
  readonly #seen = new Set<string>()
  #isDiligent = false

  constructor(parts: { place: Place; requests: Requests; clients: Clients; seed: number }) {
    this.#place = parts.place
    this.#requests = parts.requests
    this.#clients = parts.clients
    this.#random = new Random(parts.seed, 'people')
  }

  /** From now on everything is answered, at once, and what is paused goes on. */
  makeDiligent(): void {
    this.#isDiligent = true
    this.#seen.clear()
  }

  async work(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const asking = await this.#place.sql<Accepted & { status: string }>(ASKING)
      for (let from = 0; from < asking.length; from += LOOKS_AT_ONCE) {
        await Promise.all(asking.slice(from, from + LOOKS_AT_ONCE).map((mission) => this.#lookAt(mission)))
      }
      await pause(LOOK_MS)
    }
  }

  async #lookAt(mission: Accepted & { status: string }): Promise<void> {
    if (mission.status === 'paused') return this.#isDiligent ? this.#clients.resume(mission) : undefined
    const view = await this.#requests.look(
      (missions, caller) => readMission(missions, caller, mission.missionId),
      mission,
    )
    for (const question of view?.questions ?? []) {
      const id = `${mission.missionId} ${question.questionId}`
      if (this.#seen.has(id)) continue
      this.#seen.add(id)
      void this.#dealWith(mission, question).then((done) => done || this.#seen.delete(id))
    }
  }

  /** False where somebody has to look again. */
  async #dealWith(mission: Accepted, question: Question): Promise<boolean> {
    if (!this.#isDiligent) {
      if (question.deadline !== undefined && this.#random.chance(IGNORED)) return true
      await pause(this.#random.int(0, SLOWEST_MS))
    }
    const answers = this.#random.chance(RACED) ? ['one', 'other'] : ['only']
    const told = await Promise.all(answers.map((who) => this.#answer(mission, question, who)))
    return told.every(({ outcome }) => outcome !== 'unknown')
  }

  #answer({ missionId, tenantId }: Accepted, { questionId, schema }: Question, who: string) {
    // Of a call whose outcome nobody knows, or any other question.
    const answer = schema['type'] === 'object' ? { outcome: 'happened', note: who } : `The answer of ${who}`
    return this.#requests.once(
      { kind: 'answer', missionId, tenantId, questionId, answer },
      async (missions, caller) => {
        return (await answerQuestion(missions, caller, missionId, { questionId, answer })).id
      },
    )
  }
}

const ASKING = `
  select id as "missionId", tenant_id as "tenantId", status from taskforce.missions
  where ended_at is null and (status = 'paused' or status = 'waiting' and summary -> 'waitingFor' ->> 'kind' = 'question')`
