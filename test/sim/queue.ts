import type { Wakes } from '../../src/engine/ports.ts'
import type { Actor } from './scheduler.ts'
import type { SimServer } from './server.ts'

interface Message {
  missionId: string
  /** How often it was handed out. */
  tries: number
  /** It failed though it was taken when nothing was wrong any more. */
  forNoReason?: boolean
}

/** Who works on wakes: a living instance, as the host of Functions calls it. */
export interface Consumer {
  actor: Actor
  /** Rejects where the permit could not be used. */
  work(missionId: string): Promise<void>
  poisoned(missionId: string): Promise<void>
}

const FAULTS = ['before', 'after', 'not-sent', 'unanswered', 'lost', 'twice', 'slow'] as const
const LONGEST_MS = 20
/** What one that nobody answers for is hidden for. */
const INVISIBLE_MS = 600_000
const SLOWEST_MS = 600_000
const MOST_TRIES = 5
const NOBODY_MS = 500
/** The driver's patience with a statement. */
const ANSWER_MS = 30_000

/** The storage queue and the host's triggers: a message may come late, twice, or not at all, and goes when it was worked on. */
export class SimQueue {
  readonly #server: SimServer
  readonly #consumers: () => readonly Consumer[]
  /** Nobody gets through to it. */
  away = false
  /** Wakes that failed five times, not all of them while something was wrong. */
  poisoned = 0
  handedOutAt = 0
  healedAt = Infinity

  constructor(server: SimServer, consumers: () => readonly Consumer[]) {
    this.#server = server
    this.#consumers = consumers
  }

  /** The port as one process has it. */
  wakesOf(actor: Actor): Wakes {
    return { send: (missionId, inSeconds) => this.#send(actor, missionId, inSeconds) }
  }

  #send(actor: Actor, missionId: string, inSeconds: number): Promise<void> {
    const { faults, scheduler, random, trace } = this.#server
    if (actor.dead) return never()
    const fault = faults.at(`${actor.name} wake`, FAULTS)
    trace(actor, `wake ${missionId} in ${inSeconds} s${fault === undefined ? '' : ` (${fault})`}`)
    if (fault === 'before') this.#server.kill(actor, 'before a wake')
    if (actor.dead) return never()
    const sent = !this.away && fault !== 'not-sent'
    if (sent && fault !== 'lost') {
      for (let n = 0; n < (fault === 'twice' ? 2 : 1); n++) {
        const late = fault === 'slow' ? random.int(1_000, SLOWEST_MS) : random.skewed(LONGEST_MS)
        this.#arrive({ missionId, tries: 0 }, inSeconds * 1_000 + late)
      }
    }
    if (fault === 'after') this.#server.kill(actor, 'after a wake')
    return new Promise((resolve, reject) => {
      scheduler.after(random.skewed(LONGEST_MS), actor, () => {
        if (sent && fault !== 'unanswered') return resolve()
        reject(Object.assign(new Error('The queue does not answer'), { code: 'ECONNRESET' }))
      })
    })
  }

  #arrive(message: Message, inMs: number): void {
    this.#server.scheduler.after(inMs, undefined, () => this.#handOut(message))
  }

  #handOut(message: Message): void {
    const { faults, scheduler, random, trace } = this.#server
    const consumers = this.#consumers()
    if (this.away || consumers.length === 0) return this.#arrive(message, NOBODY_MS)
    const { actor, work, poisoned } = random.pick(consumers)
    message.tries++
    this.handedOutAt = scheduler.now
    // An instance that dies or stands still does not answer: the message comes again.
    const again = scheduler.after(INVISIBLE_MS, undefined, () => this.#handOut(message))
    scheduler.after(random.skewed(LONGEST_MS), actor, () => {
      trace(actor, `takes a wake for ${message.missionId}, try ${message.tries}`)
      if (message.tries > MOST_TRIES) {
        if (message.forNoReason === true) this.poisoned++
        void poisoned(message.missionId).then(() => (again.cancelled = true))
        return
      }
      // What was lost before the heal is waited for until half a minute after it, by others on the same connection too.
      const isWell = faults.healed && scheduler.now - this.healedAt > ANSWER_MS
      work(message.missionId).then(
        () => (again.cancelled = true),
        (error: unknown) => {
          trace(actor, `the wake failed: ${(error as Error).message}`)
          again.cancelled = true
          message.forNoReason ||= isWell
          this.#arrive(message, random.int(0, 30_000))
        },
      )
    })
  }
}

function never(): Promise<never> {
  return new Promise(() => undefined)
}
