import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { TenantTx } from '../../../src/db/connection.ts'
import { inTenantAtOnce } from '../../../src/db/in-tenant.ts'
import { appendInTransaction } from '../../../src/db/queries/append-events.ts'
import { storeContent } from '../../../src/db/queries/contents.ts'
import {
  endMission,
  findMission,
  lockMission,
  pauseMission as pauseRow,
  resumeMission as resumeRow,
  wakeMission,
} from '../../../src/db/queries/missions.ts'
import { readEvents } from '../../../src/db/queries/read-events.ts'
import { CALLER, groundOn, OTHER, said, type Ground } from './ground.ts'
import { START, stores, type Store } from './stores.ts'

describe.each(stores)('%s', (_, open) => {
  let store: Store
  let ground: Ground
  beforeAll(async () => (store = await open()))
  afterAll(() => store.stop())
  beforeEach(async () => (ground = await groundOn(store)))

  const { tenantId } = CALLER
  const pass = (ms: number) => ground.store.pass(ms)

  describe('a transaction', () => {
    it('sees its own changes, and nobody else does before its commit', async () => {
      const id = await ground.create()
      await ground.within(async (tx) => {
        await appendInTransaction(tx, id, 1, [said('x'), said('y')])
        await wakeMission(tx, id)
        await endMission(tx, id, 'cancelled', { a: 1 })
        expect((await readEvents(tx, id, 0)).map(({ seq }) => seq)).toEqual([1, 2, 3])
        expect(await findMission(tx, id)).toMatchObject({ status: 'cancelled', summary: { a: 1 } })
        expect(await ground.within((other) => findMission(other, id))).toMatchObject({ status: 'queued' })
        expect(await readEvents(ground.db, id, 0)).toHaveLength(1)
      })
      expect(await ground.row(id)).toMatchObject({ status: 'cancelled', inbox: 2 })
    })

    it('finds a number taken that it has taken itself', async () => {
      const id = await ground.create()
      const twice = ground.within(async (tx) => {
        await appendInTransaction(tx, id, 1, [said('x')])
        await appendInTransaction(tx, id, 1, [said('y')])
      })
      await expect(twice).rejects.toMatchObject({ code: '23505' })
      expect(await ground.types(id)).toHaveLength(1)
    })

    it('keeps the time of its begin, but for its events', async () => {
      const id = await ground.create()
      await ground.within(async (tx) => {
        await findMission(tx, id)
        await pass(5)
        const [recorded] = await appendInTransaction(tx, id, 1, [said('x')])
        expect(recorded?.at).toBe(START + 5)
        await endMission(tx, id, 'cancelled', {})
      })
      expect(await ground.row(id)).toMatchObject({ endedAt: START })
    })

    it('leaves nothing behind where it is undone, nor where a statement of it failed', async () => {
      const id = await ground.create()
      const change = async (tx: TenantTx) => {
        await appendInTransaction(tx, id, 1, [said('x')])
        await wakeMission(tx, id)
        await storeIn(tx)
      }
      const storeIn = async (tx: TenantTx) => {
        await tx.query(storeContent(tenantId, 'a'.repeat(64), Buffer.from('x')).query)
      }
      await expect(
        ground.within(async (tx) => change(tx).then(() => Promise.reject(new Error('undone')))),
      ).rejects.toThrow('undone')
      await ground.within(async (tx) => {
        await change(tx)
        await expect(appendInTransaction(tx, id, 0, [said('x')])).rejects.toMatchObject({ code: '23505' })
        await expect(findMission(tx, id)).rejects.toMatchObject({ code: '25P02' })
        await expect(wakeMission(tx, id)).rejects.toMatchObject({ code: '25P02' })
        // The commit of a failed transaction succeeds, and undoes it.
      })
      expect(await ground.row(id)).toMatchObject({ inbox: 0 })
      expect(await ground.types(id)).toHaveLength(1)
      const sent = inTenantAtOnce(ground.missions.databases.api, tenantId, [
        storeContent(tenantId, 'b'.repeat(64), Buffer.from('x')),
        storeContent(tenantId, 'no hash', Buffer.from('x')),
        storeContent(tenantId, 'c'.repeat(64), Buffer.from('x')),
      ])
      await expect(sent).rejects.toMatchObject({ code: '23514' })
      // Nobody holds anything any more.
      await ground.within(change)
    })

    it('waits for a row that another one has locked or changed, and goes on from what that left', async () => {
      const id = await ground.create()
      for (const hold of [lockMission, wakeMission]) {
        let late: Promise<unknown> | undefined
        await ground.within(async (tx) => {
          await hold(tx, id)
          expect(await ground.within((other) => findMission(other, id))).toBeDefined()
          late = ground.within(async (other) => (await lockMission(other, id))?.status)
          await ground.store.untilBlocked()
          await (hold === lockMission ? pauseRow(tx, id, {}) : resumeRow(tx, id))
        })
        expect(await late).toBe(hold === lockMission ? 'paused' : 'queued')
      }
      expect(await ground.row(id)).toMatchObject({ inbox: 3 })
    })

    it('does not see another tenant, and changes nothing of it', async () => {
      await ground.store.addTenant({ id: OTHER.tenantId })
      const id = await ground.create()
      await ground.within(async (tx) => {
        expect(await findMission(tx, id)).toBeUndefined()
        expect(await lockMission(tx, id)).toBeUndefined()
        expect(await readEvents(tx, id, 0)).toEqual([])
        await wakeMission(tx, id)
        await pauseRow(tx, id, {})
        await resumeRow(tx, id)
        await endMission(tx, id, 'cancelled', {})
        await appendInTransaction(tx, id, 1, [said('x')])
      }, OTHER.tenantId)
      expect(await ground.row(id)).toMatchObject({ status: 'queued', inbox: 0, epoch: 0 })
      expect(await ground.types(id)).toHaveLength(1)
    })

    it('of a connection that breaks is undone', async () => {
      const id = await ground.create()
      const client = await ground.missions.databases.api.connect()
      await client.query(`
    begin;
    select set_config('role', 'taskforce_api', true), set_config('app.tenant', '${tenantId}', true)`)
      await wakeMission(client as unknown as TenantTx, id)
      client.release(new Error('broken'))
      await ground.within((tx) => wakeMission(tx, id))
      expect(await ground.row(id)).toMatchObject({ inbox: 1 })
    })

    it('is needed by the API’s role for anything at all', async () => {
      const api = ground.missions.databases.api as unknown as TenantTx
      await expect(findMission(api, await ground.create())).rejects.toMatchObject({
        code: expect.stringMatching(/^(42704|22P02)$/),
      })
    })
  })
})
