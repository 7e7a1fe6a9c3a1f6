import type { Turns, TurnTaken } from '../db/queries/claim-mission.ts'

/**
 * Whose turn it is among the tenants, as this instance has served them (start-time fair queueing, Goyal 1996): each mission
 * taken moves its tenant on by 1 / weight of a turn, and the one that is furthest behind comes next. A tenant that had
 * nothing to do saves up no turns. Nothing is written down for it: each instance being fair, all of them together are.
 */
export class TenantTurns {
  /** The virtual time: where the latest turn began. */
  #now = 0
  /** Where each tenant's next turn begins; those that are not ahead of now are left out. */
  readonly #next = new Map<string, number>()

  /** How far tenants are ahead of those that are not named. */
  ahead(): Turns {
    return { tenants: [...this.#next.keys()], tags: [...this.#next.values()].map((tag) => tag - this.#now) }
  }

  took(turns: readonly TurnTaken[]): void {
    const before = this.#now
    for (const { tenantId, weight, tag } of turns) {
      this.#next.set(tenantId, Math.max(this.#next.get(tenantId) ?? 0, before + tag + 1 / weight))
      this.#now = Math.max(this.#now, before + tag)
    }
    for (const [tenantId, tag] of this.#next) if (tag <= this.#now) this.#next.delete(tenantId)
  }
}
