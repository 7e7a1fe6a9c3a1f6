import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { inTenant } from '../../../src/db/in-tenant.ts'
import { appendInTransaction } from '../../../src/db/queries/append-events.ts'
import { claimMissions, isAnyFree } from '../../../src/db/queries/claim-mission.ts'
import { beat, leave } from '../../../src/db/queries/instances.ts'
import { lockMission, wakeMission } from '../../../src/db/queries/missions.ts'
import { abandonMission, excuseMission } from '../../../src/db/queries/release-mission.ts'
import { cancelMission } from '../../../src/missions/cancel-mission.ts'
import { pauseMission } from '../../../src/missions/pause-mission.ts'
import { appendAlone } from '../../support/engine.ts'
import { CALLER, groundOn, idOf, OTHER, said, type Ground } from './ground.ts'
import { START, stores, type Store } from './stores.ts'

const release = (wakeInSeconds: number | null, status = 'waiting') => ({
  status,
  wakeInSeconds,
  release: true,
  inbox: 0,
})

describe.each(stores)('a claim, %s', (_, open) => {
  let store: Store
  let ground: Ground
  beforeAll(async () => (store = await open()))
  afterAll(() => store.stop())
  beforeEach(async () => (ground = await groundOn(store)))

  const claimed = async (instance: string, most = 1) =>
    (await claimMissions(ground.db, instance, most)).map(({ missionId }) => missionId)
  const pass = (ms: number) => ground.store.pass(ms)

  it('gives the mission with its whole journal, and starts one that has only been created', async () => {
    const id = await ground.create()
    const instance = await ground.alive()
    await pass(1000)
    const [claim] = await claimMissions(ground.db, instance, 1)
    const rows = await ground.store.events()
    expect(claim).toEqual({
      missionId: id,
      tenantId: CALLER.tenantId,
      epoch: 1,
      profileHash: (await ground.row(id))?.profileHash,
      inbox: 0,
      crashes: 0,
      tag: 0,
      weight: 1,
      limited: false,
      now: START + 1000,
      began: true,
      events: rows.map(({ seq, v, type, data, at }) => ({ seq, v, type, data, at })),
    })
    expect(rows[1]).toMatchObject({ type: 'mission.started', data: { instance }, seq: 2, epoch: 1, at: START + 1000 })
    expect(await ground.row(id)).toMatchObject({ status: 'running', owner: instance, startedAt: START + 1000 })
  })

  it('does not start a mission twice, nor change when it was started', async () => {
    const id = await ground.create()
    const { lease } = await ground.claim(await ground.alive())
    await appendAlone(ground.db, lease, 2, [], release(0))
    await pass(1000)
    const { began, events } = await ground.claim(lease.instance)
    expect([began, events?.length]).toEqual([false, 2])
    expect(await ground.row(id)).toMatchObject({ startedAt: START, epoch: 2 })
  })

  it('brings a journal of 64 events along, and leaves a longer one to be read', async () => {
    await ground.create()
    const { lease } = await ground.claim(await ground.alive())
    const many = (count: number) => Array.from({ length: count }, () => said('x'))
    await appendAlone(ground.db, lease, 2, many(62))
    await appendAlone(ground.db, lease, 64, [], release(0))
    const next = await ground.claim(lease.instance)
    expect(next.events).toHaveLength(64)
    await appendAlone(ground.db, next.lease, 64, many(1), release(0))
    expect(await ground.claim(lease.instance)).toMatchObject({ began: false, events: undefined })
  })

  it('takes the highest priority first, then what has waited longest, and several in one go', async () => {
    const ids: string[] = []
    for (const priority of [0, 5, 0, 9]) {
      ids.push(await ground.create({ priority }))
      await pass(1)
    }
    const instance = await ground.alive()
    expect(await claimed(instance, 3)).toEqual([ids[3], ids[1], ids[0]])
    expect(await claimed(instance, 3)).toEqual([ids[2]])
    expect(await claimed(instance, 3)).toEqual([])
  })

  it('takes one that waits for its time among those that are queued, by priority and time', async () => {
    const early = await ground.create()
    const { lease } = await ground.claim(await ground.alive())
    await appendAlone(ground.db, lease, 2, [], release(1))
    const late = await ground.create()
    expect(await claimed(lease.instance)).toEqual([late])
    await pass(1000)
    await ground.create({ priority: 1 })
    expect(await claimed(lease.instance, 2)).toEqual([idOf('mission', 3), early])
  })

  it('leaves alone what is not due, to the millisecond, and what may never move', async () => {
    const id = await ground.create()
    const { lease } = await ground.claim(await ground.alive())
    await appendAlone(ground.db, lease, 2, [], release(10))
    await pass(9_999)
    expect(await claimed(lease.instance)).toEqual([])
    expect(await isAnyFree(ground.db)).toBe(false)
    await pass(1)
    expect(await isAnyFree(ground.db)).toBe(true)
    expect(await claimed(lease.instance)).toEqual([id])
    await appendAlone(ground.db, { ...lease, epoch: 2 }, 2, [], release(null))
    expect(await claimed(lease.instance)).toEqual([])
  })

  it.each(['cancelled', 'paused'])('leaves alone what was %s', async (status) => {
    const id = await ground.create()
    await (status === 'paused' ? pauseMission : cancelMission)(ground.missions, CALLER, id, undefined)
    expect(await claimed(await ground.alive())).toEqual([])
    expect(await isAnyFree(ground.db)).toBe(false)
    expect(await ground.row(id)).toMatchObject({ status, wakeAt: null, owner: null })
  })

  it('leaves alone what has no owner and is due, but is in no state to move', async () => {
    await ground.create()
    const { lease } = await ground.claim(await ground.alive())
    await appendAlone(ground.db, lease, 2, [], release(0, 'paused'))
    expect(await claimed(lease.instance)).toEqual([])
  })

  it('leaves alone what a living instance owns, to the millisecond, and takes it over after that', async () => {
    const id = await ground.create()
    const first = await ground.claim(await ground.alive(30))
    await pass(29_999)
    const other = await ground.alive()
    expect(await claimed(other)).toEqual([])
    await pass(1)
    expect(await ground.claim(other)).toMatchObject({ missionId: id, epoch: 2, crashes: 1, began: false })
    expect(await appendAlone(ground.db, first.lease, 2, [said('x')])).toBeUndefined()
  })

  it('takes over at once from an instance that has left, but nothing that may not move', async () => {
    await ground.create()
    const one = await ground.claim(await ground.alive())
    await appendAlone(ground.db, one.lease, 2, [said('x')], { status: 'running', wakeInSeconds: 5, release: false })
    await leave(ground.db, one.lease.instance)
    expect(await claimed(await ground.alive())).toEqual([])
    await pass(5000)
    expect(await claimed(idOf('instance', 2))).toHaveLength(1)
  })

  it('takes dead owners in their order where there are many', async () => {
    const ids = [await ground.create(), await ground.create(), await ground.create()]
    const dead = [await ground.alive(1), await ground.alive(1), await ground.alive(1)]
    for (const instance of dead.toReversed()) await claimed(instance)
    await pass(1000)
    expect(await claimed(await ground.alive(), 3)).toHaveLength(3)
    expect((await ground.store.missions()).map(({ crashes }) => crashes)).toEqual(ids.map(() => 1))
  })

  it('counts deaths without an event in between, and forgets them after one', async () => {
    await ground.create()
    const crashes: number[] = []
    for (let n = 0; n < 3; n++) {
      crashes.push((await ground.claim(await ground.alive(1))).crashes)
      await pass(1000)
    }
    const last = await ground.claim(await ground.alive(1))
    crashes.push(last.crashes)
    await appendAlone(ground.db, last.lease, 2, [said('x')])
    await pass(1000)
    crashes.push((await ground.claim(await ground.alive(1))).crashes)
    await pass(1000)
    crashes.push((await ground.claim(await ground.alive(1))).crashes)
    expect(crashes).toEqual([0, 1, 2, 3, 0, 1])
  })

  it('keeps the count where the mission was given back without an event, and adds one where it was given up', async () => {
    await ground.create()
    const first = await ground.claim(await ground.alive(1))
    await pass(1000)
    const second = await ground.claim(await ground.alive())
    await excuseMission(ground.db, second.lease, 7)
    expect(await claimed(second.lease.instance)).toEqual([])
    await pass(7000)
    const third = await ground.claim(second.lease.instance)
    await abandonMission(ground.db, third.lease)
    const fourth = await ground.claim(second.lease.instance)
    expect([first, second, third, fourth].map(({ crashes }) => crashes)).toEqual([0, 1, 1, 2])
  })

  it('passes over a row that somebody has locked, which is free all the same', async () => {
    const ids = [await ground.create(), await ground.create()]
    const instance = await ground.alive()
    await inTenant(ground.missions.databases.api, CALLER.tenantId, async (tx) => {
      await lockMission(tx, ids[0] as string)
      expect(await claimed(instance, 2)).toEqual([ids[1]])
      expect(await claimed(instance, 2)).toEqual([])
      expect(await isAnyFree(ground.db)).toBe(true)
    })
    expect(await claimed(instance, 2)).toEqual([ids[0]])
  })

  it('sees nothing of what is not committed, and all of what is', async () => {
    const id = await ground.create()
    const instance = await ground.alive()
    const message = said('more')
    await inTenant(ground.missions.databases.api, CALLER.tenantId, async (tx) => {
      await appendInTransaction(tx, id, 1, [message])
      await wakeMission(tx, id)
      expect(await ground.types(id)).toEqual(['mission.created'])
      expect(await claimed(instance)).toEqual([])
    })
    const { inbox, events, began } = await ground.claim(instance)
    expect({ inbox, began, types: events?.map(({ type }) => type) }).toEqual({
      inbox: 1,
      began: false,
      types: ['mission.created', 'mission.message'],
    })
  })

  it('is for an instance that lives, or else the mission is free again at once', async () => {
    await ground.create()
    expect(await claimed(idOf('instance', 7))).toHaveLength(1)
    expect(await claimed(await ground.alive())).toHaveLength(1)
    await beat(ground.db, { id: idOf('instance', 1), version: '0', host: 'test' }, 60)
    expect(await claimed(idOf('instance', 9))).toEqual([])
  })

  it('is for all tenants, and a transaction is not', async () => {
    await ground.store.addTenant({ id: OTHER.tenantId })
    const id = await ground.create({ caller: OTHER })
    const locked = await inTenant(ground.missions.databases.api, CALLER.tenantId, (tx) => lockMission(tx, id))
    expect(locked).toBeUndefined()
    expect(await claimed(await ground.alive())).toEqual([id])
  })
})
