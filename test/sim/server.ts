import { DatabaseError } from 'pg'
import type { QueryResult } from 'pg'
import { Blocked, type Backend, type Session, type SimQuery } from './backend.ts'
import type { Faults } from './faults.ts'
import type { Random } from './random.ts'
import type { Actor, Scheduler } from './scheduler.ts'

export interface SimServer {
  backend: Backend
  scheduler: Scheduler
  random: Random
  faults: Faults
  /** Kills the process; what it has sent is done all the same. */
  kill(actor: Actor, why: string): void
  /** `away`: nobody gets through. `read-only`: as a server is that has just taken over from another. */
  state: 'up' | 'away' | 'read-only'
  /** Nothing gets from them to the server until then, nor back, and nobody tells them. */
  cutOff: Map<Actor, number>
  /** Opened so far. */
  sessions: number
  /** When somebody last said that it lives, and looked what became of its missions. */
  beatenAt: number
  polledAt: number
  /** Statements that were sent and are not done; who sent them may have given up on them. */
  underWay: number
  trace(actor: Actor | undefined, text: string): void
}

/** As the settings of the real pools: how long a statement waits for a row that another one holds. */
const LOCK_MS = { engine: 1_000, api: 5_000 }
const LOOK_AGAIN_MS = 10
/** The driver's own patience with a statement (`query_timeout`). */
const ANSWER_MS = 30_000
const LONGEST_MS = 3
const SLOW_MS = 60_000

/** A cut is over, and the kernel sends again what nobody has acknowledged: whoever wrote it may have given up long ago. */
const SENT_AGAIN = 0.5
const SENT_AGAIN_MS = 10_000

/** `with` starts claims and appends alone. */
const WRITES = /^\s*(insert|update|delete|with|commit)/i
const FAULTS = ['before', 'after', 'not-sent', 'unanswered', 'slow', 'rolled-back'] as const
/** In a transaction a statement that is rolled back takes the others with it, which `not-sent` does too. */
const API_FAULTS = ['before', 'after', 'not-sent', 'unanswered', 'slow'] as const

type Settle = (answer: PromiseWithResolvers<QueryResult>) => void

/** A statement on its way through the server. */
interface Attempt {
  query: SimQuery
  name: string
  /** In place of being done. */
  refusal: Error | undefined
  /** When it reached the server. */
  since: number
  deliver(settle: Settle): void
}

/** One connection. After an error of the connection it is closed, and what it has not committed is undone. */
export class SimConnection {
  readonly #server: SimServer
  readonly #actor: Actor
  readonly session: Session
  closed = false
  #underWay = 0
  /** Statements of one connection are done in their order. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(server: SimServer, actor: Actor, session: Session) {
    this.#server = server
    this.#actor = actor
    this.session = session
  }

  /** As the driver does: resolves with the rows, or rejects with the server's or the connection's error. */
  query(query: SimQuery): Promise<QueryResult> {
    const sent = Promise.withResolvers<QueryResult>()
    const before = this.#last
    this.#last = sent.promise.catch(() => undefined)
    void this.#send(query, before, sent)
    return sent.promise
  }

  async #send(query: SimQuery, before: Promise<unknown>, answer: PromiseWithResolvers<QueryResult>): Promise<void> {
    const { faults, scheduler, random } = this.#server
    const name = query.name ?? /\w+/.exec(query.text)?.[0] ?? 'nothing'
    const where = `${this.#actor.name} ${name}`
    if (name === 'instance_beat') this.#server.beatenAt = scheduler.now
    if (name === 'control_poll') this.#server.polledAt = scheduler.now
    const fault = this.#actor.dead ? undefined : faults.at(where, this.session.pool === 'api' ? API_FAULTS : FAULTS)
    if (fault === 'before') this.#server.kill(this.#actor, `before ${name}`)
    if (this.#actor.dead) return
    await before
    if (this.closed) return this.#reject(answer, connectionError('Connection terminated unexpectedly'))
    if (fault === 'not-sent') return this.#breakOff(answer, name, false)
    const sentAgainMs = this.#sentAgain()
    const slowThere = fault === 'slow' && random.chance(0.5)
    const toServer = sentAgainMs ?? (slowThere ? random.int(1_000, SLOW_MS) : random.skewed(LONGEST_MS))
    const toClient = fault === 'slow' && toServer < 1_000 ? random.int(1_000, SLOW_MS) : random.skewed(LONGEST_MS)
    const timer = scheduler.after(ANSWER_MS, this.#actor, () => this.#giveUp(answer, name))
    if (sentAgainMs === undefined && this.#server.cutOff.has(this.#actor)) return
    const deliver = (settle: Settle) => {
      if (this.#server.cutOff.has(this.#actor)) return
      if (fault === 'after') return this.#server.kill(this.#actor, `after ${name}`)
      if (fault === 'unanswered') return this.#breakOff(answer, name, true)
      scheduler.after(toClient, this.#actor, () => {
        timer.cancelled = true
        settle(answer)
      })
    }
    const refusal = fault === 'rolled-back' ? databaseError('40P01', 'deadlock detected') : undefined
    // The server's own work: it goes on whatever becomes of who asked.
    const settled = (settle: Settle) => {
      this.#server.underWay--
      this.#underWay--
      this.#disconnect()
      deliver(settle)
    }
    const attempt = { query, name, refusal, since: scheduler.now + toServer, deliver: settled }
    this.#server.underWay++
    this.#underWay++
    scheduler.after(toServer, undefined, () => this.#attempt(attempt))
  }

  /**
   * In how long a statement of somebody who is cut off gets there after all. None of a transaction does: the server has
   * ended it by then (`idle_in_transaction_session_timeout`).
   */
  #sentAgain(): number | undefined {
    const { cutOff, random, scheduler } = this.#server
    const until = cutOff.get(this.#actor)
    if (until === undefined || this.session.pool === 'api' || !random.chance(SENT_AGAIN)) return undefined
    return until - scheduler.now + random.int(0, SENT_AGAIN_MS)
  }

  async #attempt(attempt: Attempt): Promise<void> {
    const { backend, scheduler, trace } = this.#server
    const { query, name, since, deliver } = attempt
    const refusal = attempt.refusal ?? this.#refusal(query)
    if (refusal !== undefined) {
      trace(this.#actor, `${name}: ${refusal.message}`)
      return deliver(({ reject }) => reject(refusal))
    }
    try {
      const result = await backend.execute(this.session, query, scheduler.now)
      trace(this.#actor, query.name === undefined ? name : `${name}: ${result.rowCount ?? 0} rows`)
      deliver(({ resolve }) => resolve(result))
    } catch (error) {
      const waitsOn = error instanceof Blocked && scheduler.now - since < LOCK_MS[this.session.pool]
      if (waitsOn) return void scheduler.after(LOOK_AGAIN_MS, undefined, () => this.#attempt(attempt))
      const failure =
        error instanceof Blocked ? databaseError('55P03', 'canceling statement due to lock timeout') : error
      trace(this.#actor, `${name}: ${(failure as Error).message}`)
      deliver(({ reject }) => reject(failure))
    }
  }

  #refusal({ text }: SimQuery): Error | undefined {
    const { state } = this.#server
    if (state === 'away') return this.#lose(connectionError('connect ECONNREFUSED'))
    if (state === 'up' || !WRITES.test(text)) return undefined
    return databaseError('25006', 'cannot execute in a read-only transaction')
  }

  #giveUp(answer: PromiseWithResolvers<QueryResult>, name: string): void {
    this.#server.trace(this.#actor, `${name}: no answer`)
    this.#reject(answer, this.#lose(new Error('Query read timeout')))
  }

  #breakOff(answer: PromiseWithResolvers<QueryResult>, name: string, done: boolean): void {
    this.#server.trace(this.#actor, `${name}: ${done ? 'done, but the connection broke' : 'the connection broke'}`)
    this.#reject(answer, this.#lose(connectionError('Connection terminated unexpectedly')))
  }

  #reject(answer: PromiseWithResolvers<QueryResult>, error: Error): void {
    this.#server.scheduler.after(0, this.#actor, () => answer.reject(error))
  }

  #lose(error: Error): Error {
    this.close()
    return error
  }

  close(): void {
    if (this.closed) return
    this.closed = true
    this.#disconnect()
  }

  /** The server learns of it behind everything that was sent before. */
  #disconnect(): void {
    if (!this.closed || this.#underWay > 0) return
    this.#server.scheduler.after(0, undefined, () => this.#server.backend.disconnect(this.session))
  }
}

function connectionError(message: string): Error {
  return Object.assign(new Error(message), { code: message.includes('ECONNREFUSED') ? 'ECONNREFUSED' : 'ECONNRESET' })
}

function databaseError(code: string, message: string): Error {
  return Object.assign(new DatabaseError(message, message.length, 'error'), { code })
}
