import type { Pool } from 'pg'
import type { TenantTx } from '../../../src/db/connection.ts'
import { inTenant } from '../../../src/db/in-tenant.ts'
import { appendInTransaction } from '../../../src/db/queries/append-events.ts'
import { lockMission } from '../../../src/db/queries/missions.ts'
import { readEvents } from '../../../src/db/queries/read-events.ts'
import { said } from './ground.ts'

/** A transaction of somebody else, which keeps a row or a number to itself until it is let go. One at a time. */
export class Holder {
  readonly #api: Pool
  #held: { open: (commit: boolean) => void; ended: Promise<unknown> } | undefined

  constructor(api: Pool) {
    this.#api = api
  }

  lock(tenantId: string, missionId: string): Promise<string> {
    return this.#hold(tenantId, (tx) => lockMission(tx, missionId))
  }

  append(tenantId: string, missionId: string): Promise<string> {
    return this.#hold(tenantId, async (tx) => {
      const events = await readEvents(tx, missionId, 0)
      await appendInTransaction(tx, missionId, events.at(-1)?.seq ?? 0, [said('held')])
    })
  }

  async letGo(commit: boolean): Promise<void> {
    const held = this.#held
    this.#held = undefined
    held?.open(commit)
    await held?.ended
  }

  async #hold(tenantId: string, work: (tx: TenantTx) => Promise<unknown>): Promise<string> {
    if (this.#held !== undefined) return 'held already'
    const reached = Promise.withResolvers<void>()
    const door = Promise.withResolvers<boolean>()
    const ended = inTenant(this.#api, tenantId, async (tx) => {
      await work(tx)
      reached.resolve()
      if (!(await door.promise)) throw new Error('undone')
    }).catch(() => undefined)
    this.#held = { open: door.resolve, ended }
    await reached.promise
    return 'held'
  }
}
