import { TerminalError } from '../../src/domain/errors.ts'
import type { ClaimResult, Effects } from '../../src/engine/ports.ts'
import type { Actor } from './scheduler.ts'
import type { SimServer } from './server.ts'

const FAULTS = ['before', 'after', 'not-sent', 'unanswered', 'slow'] as const
const LONGEST_MS = 10
const SLOWEST_MS = 15_000

/** The claims of calls that act once, which outlive everything; as the port over blobs tells of them. */
export class SimEffects {
  readonly claims = new Map<string, { instance: string; tool: string; at: string }>()
  readonly #server: SimServer

  constructor(server: SimServer) {
    this.#server = server
  }

  /** The port as one process has it. */
  of(actor: Actor): Effects {
    return { claim: (begin, signal) => this.#claim(actor, begin, signal) }
  }

  #claim(actor: Actor, begin: Parameters<Effects['claim']>[0], signal: AbortSignal): Promise<ClaimResult> {
    const { faults, scheduler, random, trace } = this.#server
    const { promise, resolve, reject } = Promise.withResolvers<ClaimResult>()
    if (actor.dead) return promise
    if (signal.aborted) return Promise.reject(signal.reason as Error)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    const fault = faults.at(`${actor.name} claim`, FAULTS)
    if (fault === 'before') this.#server.kill(actor, 'before a claim')
    if (actor.dead) return promise
    const ms = fault === 'slow' ? random.int(1_000, SLOWEST_MS) : random.skewed(LONGEST_MS)
    scheduler.after(ms, undefined, () => {
      const result = fault === 'not-sent' ? undefined : this.#make(begin)
      trace(
        actor,
        `claim ${begin.missionId}/${begin.key}: ${result?.kind ?? 'not made'}${fault === undefined ? '' : ` (${fault})`}`,
      )
      if (fault === 'after') return this.#server.kill(actor, 'after a claim')
      scheduler.after(random.skewed(LONGEST_MS), actor, () => {
        if (result !== undefined && fault !== 'unanswered') return resolve(result)
        reject(new TerminalError('effects_unavailable', 'The storage does not answer. Nothing was done.'))
      })
    })
    return promise
  }

  #make({ missionId, key, instance, tool }: Parameters<Effects['claim']>[0]): ClaimResult {
    const name = `${missionId}/${key}`
    const before = this.claims.get(name)
    if (before !== undefined) return { kind: 'taken', by: before }
    this.claims.set(name, { instance, tool, at: new Date(this.#server.scheduler.now).toISOString() })
    return { kind: 'claimed' }
  }
}
