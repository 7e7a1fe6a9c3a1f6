import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { inTenant } from '../../../src/db/in-tenant.ts'
import { beat, forgetDead, leave, pollControl } from '../../../src/db/queries/instances.ts'
import { readStanding } from '../../../src/db/queries/mission-standing.ts'
import { lockMission, wakeMission } from '../../../src/db/queries/missions.ts'
import { abandonMission, excuseMission, readInbox } from '../../../src/db/queries/release-mission.ts'
import { beginSweep, findDue, sweepAge } from '../../../src/db/queries/sweep.ts'
import { markWatched } from '../../../src/db/queries/watched.ts'
import { sweep } from '../../../src/engine/sweep.ts'
import { cancelMission } from '../../../src/missions/cancel-mission.ts'
import { pauseMission } from '../../../src/missions/pause-mission.ts'
import { appendAlone } from '../../support/engine.ts'
import { CALLER, groundOn, NOBODY, OTHER, said, type Ground } from './ground.ts'
import { START, stores, type Store } from './stores.ts'

const waiting = (wakeInSeconds: number | null) => ({ status: 'waiting', wakeInSeconds, release: true, inbox: 0 })

describe.each(stores)('%s', (_, open) => {
  let store: Store
  let ground: Ground
  beforeAll(async () => (store = await open()))
  afterAll(() => store.stop())
  beforeEach(async () => (ground = await groundOn(store)))

  const pass = (ms: number) => ground.store.pass(ms)
  async function owned(seconds?: number) {
    const id = await ground.create()
    const { lease } = await ground.claim(await ground.alive(seconds))
    return { id, lease }
  }

  describe('the control poll', () => {
    it('tells what an instance owns, with its inbox and whether somebody reads along', async () => {
      const { id, lease } = await owned()
      const second = await ground.create()
      await ground.claim(lease.instance)
      await inTenant(ground.missions.databases.api, CALLER.tenantId, (tx) => wakeMission(tx, id))
      await markWatched(ground.db, [{ missionId: id, tenantId: CALLER.tenantId }], 15)
      const poll = async () => {
        const { owned: rows, orphans, draining } = await pollControl(ground.db, lease.instance)
        return { orphans, draining, owned: rows.sort((a, b) => (a.missionId < b.missionId ? -1 : 1)) }
      }
      const first = { missionId: id, epoch: 1, inbox: 1, watched: true }
      const other = { missionId: second, epoch: 1, inbox: 0, watched: false }
      expect(await poll()).toEqual({ owned: [first, other], orphans: 0, draining: false })
      await pass(15_000)
      expect(await poll()).toEqual({ owned: [{ ...first, watched: false }, other], orphans: 0, draining: false })
      expect(await pollControl(ground.db, NOBODY)).toEqual({ owned: [], orphans: 0, draining: false })
    })

    it('tells of missions whose owner is dead and that may move', async () => {
      const { lease } = await owned(10)
      const waits = await ground.create()
      const other = await ground.claim(lease.instance)
      await appendAlone(ground.db, other.lease, 2, [said('x')], {
        status: 'running',
        wakeInSeconds: 20,
        release: false,
      })
      await pass(9_999)
      expect((await pollControl(ground.db, NOBODY)).orphans).toBe(0)
      await pass(1)
      expect((await pollControl(ground.db, NOBODY)).orphans).toBe(1)
      expect(await pollControl(ground.db, lease.instance)).toMatchObject({ orphans: 1, owned: [{}, {}] })
      await pass(10_000)
      expect((await pollControl(ground.db, NOBODY)).orphans).toBe(2)
      await cancelMission(ground.missions, CALLER, waits, undefined)
      expect((await pollControl(ground.db, NOBODY)).orphans).toBe(1)
    })
  })

  describe('the row of an instance', () => {
    it('lives on with each beat, and is gone after a clean end', async () => {
      const { id, lease } = await owned(10)
      await pass(9_000)
      await beat(ground.db, { id: lease.instance, version: '1', host: 'x' }, 10)
      await pass(9_999)
      expect(await readStanding(ground.db, id)).toMatchObject({ owned: true })
      await leave(ground.db, lease.instance)
      await leave(ground.db, NOBODY)
      expect(await readStanding(ground.db, id)).toMatchObject({ owned: false })
      expect(await ground.store.instances()).toEqual([])
    })

    it('is forgotten an hour after its death, not before', async () => {
      await ground.alive(0)
      await pass(1)
      const later = await ground.alive(0)
      await pass(3_600_000)
      await forgetDead(ground.db)
      expect(await ground.store.instances()).toEqual([later])
    })
  })

  it('how a mission stands is told by its row and its owner’s', async () => {
    const { id, lease } = await owned(1)
    expect(await readStanding(ground.db, id)).toEqual({ status: 'running', crashes: 0, ended: false, owned: true })
    await pass(1000)
    expect(await readStanding(ground.db, id)).toEqual({ status: 'running', crashes: 0, ended: false, owned: false })
    const { lease: next } = await ground.claim(await ground.alive())
    expect(await readStanding(ground.db, id)).toMatchObject({ crashes: 1, owned: true })
    const ended = { status: 'failed', wakeInSeconds: null, release: true, ended: true }
    await appendAlone(ground.db, next, 2, [said('x')], ended)
    expect(await readStanding(ground.db, id)).toEqual({ status: 'failed', crashes: 1, ended: true, owned: false })
    expect(await readStanding(ground.db, lease.instance)).toBeUndefined()
  })

  describe('a mission that is given back', () => {
    it('only by its owner under its epoch, whatever is done with it', async () => {
      const { id, lease } = await owned()
      for (const stale of [
        { ...lease, epoch: 2 },
        { ...lease, instance: NOBODY },
        { ...lease, missionId: NOBODY },
      ]) {
        await abandonMission(ground.db, stale)
        await excuseMission(ground.db, stale, 5)
        expect(await readInbox(ground.db, stale)).toBeUndefined()
      }
      expect(await ground.row(id)).toMatchObject({ owner: lease.instance, wakeAt: START, inbox: 0 })
      expect(await readInbox(ground.db, lease)).toBe(0)
    })

    it('has no owner for some seconds where it was excused, and one that never lives where it was given up', async () => {
      const { id, lease } = await owned()
      await abandonMission(ground.db, lease)
      expect(await ground.row(id)).toMatchObject({ owner: '00000000-0000-0000-0000-000000000000', wakeAt: START })
      const next = await ground.claim(lease.instance)
      await excuseMission(ground.db, next.lease, 2.5)
      expect(await ground.row(id)).toMatchObject({ owner: null, wakeAt: START + 2500, status: 'running', epoch: 2 })
    })

    it('waits for whoever has locked the row', async () => {
      const { id, lease } = await owned()
      const late = await inTenant(ground.missions.databases.api, CALLER.tenantId, async (tx) => {
        await lockMission(tx, id)
        expect(await readInbox(ground.db, lease)).toBe(0)
        const given = excuseMission(ground.db, lease, 5)
        await ground.store.untilBlocked()
        await wakeMission(tx, id)
        return { given }
      })
      await late.given
      expect(await ground.row(id)).toMatchObject({ owner: null, inbox: 1, wakeAt: START + 5000 })
    })
  })

  describe('the sweep', () => {
    it('runs once in a while, whoever asks, and knows how long ago that was', async () => {
      expect(await sweepAge(ground.db)).toBeUndefined()
      expect(await beginSweep(ground.db, 60)).toBe(true)
      await pass(59_999)
      expect([await beginSweep(ground.db, 60), await sweepAge(ground.db)]).toEqual([false, 59_999])
      await pass(1)
      expect([await beginSweep(ground.db, 60), await sweepAge(ground.db)]).toEqual([true, 0])
    })

    it('finds what may move within its horizon and has no living owner, in whole seconds', async () => {
      const { id: soon, lease } = await owned(30)
      await appendAlone(ground.db, lease, 2, [], waiting(10.001))
      const { id: dead } = await owned(5)
      const { id: queued } = { id: await ground.create() }
      const paused = await ground.create()
      await pauseMission(ground.missions, CALLER, paused, undefined)
      await pass(1)
      expect(await findDue(ground.db, 9, 10)).toEqual([{ missionId: queued, tenantId: CALLER.tenantId, inSeconds: 0 }])
      expect((await findDue(ground.db, 10, 10)).map(({ missionId, inSeconds }) => [missionId, inSeconds])).toEqual([
        [queued, 0],
        [soon, 10],
      ])
      await pass(4_999)
      const found = (await findDue(ground.db, 65, 10)).map(({ missionId, inSeconds }) => [missionId, inSeconds])
      expect(found).toHaveLength(3)
      expect(found).toEqual(
        expect.arrayContaining([
          [dead, 0],
          [queued, 0],
          [soon, 6],
        ]),
      )
      await pass(100_000)
      expect((await findDue(ground.db, 65, 10)).map(({ inSeconds }) => inSeconds)).toEqual([0, 0, 0])
    })

    it('finds nothing that waits for somebody, has ended, or rests at a living instance', async () => {
      const { lease } = await owned()
      await appendAlone(ground.db, lease, 2, [], waiting(null))
      await cancelMission(ground.missions, CALLER, await ground.create(), undefined)
      await owned()
      const { lease: odd } = await owned()
      await appendAlone(ground.db, odd, 2, [], { ...waiting(0), status: 'paused' })
      expect(await findDue(ground.db, 65, 10)).toEqual([])
    })

    it('takes one of each tenant after the other, those first that wait longest, and no more than it may', async () => {
      await ground.store.addTenant({ id: OTHER.tenantId })
      const ids: string[] = []
      for (const caller of [CALLER, CALLER, CALLER, OTHER, OTHER]) {
        ids.push(await ground.create({ caller }))
        await pass(1)
      }
      const order = [0, 3, 1, 4, 2].map((n) => ids[n])
      expect((await findDue(ground.db, 65, 10)).map(({ missionId }) => missionId)).toEqual(order)
      expect((await findDue(ground.db, 65, 3)).map(({ missionId }) => missionId)).toEqual(order.slice(0, 3))
    })

    it('goes through as a whole', async () => {
      const { id, lease } = await owned()
      await appendAlone(ground.db, lease, 2, [], waiting(20))
      const context = { db: ground.db, wakes: ground.wakes, telemetry: ground.missions.telemetry }
      ground.wakes.sent.length = 0
      expect(await sweep(context)).toEqual({ due: 1 })
      expect(ground.wakes.sent).toEqual([{ missionId: id, inSeconds: 20 }])
      expect(await sweep(context, 60)).toEqual({ due: 0 })
    })
  })
})
