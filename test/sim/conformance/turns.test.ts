import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { inTenant } from '../../../src/db/in-tenant.ts'
import { claimMissions, isAnyFree } from '../../../src/db/queries/claim-mission.ts'
import { lockMission } from '../../../src/db/queries/missions.ts'
import { appendAlone } from '../../support/engine.ts'
import { groundOn, idOf, type Ground } from './ground.ts'
import { stores, type Store } from './stores.ts'

const release = (wakeInSeconds: number | null, status = 'waiting') => ({
  status,
  wakeInSeconds,
  release: true,
  inbox: 0,
})

describe.each(stores)('a claim of several tenants, %s', (_, open) => {
  let store: Store
  let ground: Ground
  beforeAll(async () => (store = await open()))
  afterAll(() => store.stop())
  beforeEach(async () => (ground = await groundOn(store)))

  const pass = (ms: number) => ground.store.pass(ms)
  const tenant = (n: number) => idOf('nobody', 100 + n)
  const count = (ids: readonly string[], of: string) => ids.filter((id) => id === of).length

  async function queue(n: number, missions: number, over: { weight?: number; maxRunning?: number } = {}) {
    await ground.store.addTenant({ id: tenant(n), ...over })
    for (let k = 0; k < missions; k++) {
      await ground.create({ caller: { tenantId: tenant(n), name: 'x' } })
      await pass(1)
    }
  }
  const tenants = async (instance: string, most: number, turns?: Parameters<typeof claimMissions>[3]) =>
    (await claimMissions(ground.db, instance, most, turns)).map(({ tenantId }) => tenantId)

  it('takes turns by weight, and says whose turn began when', async () => {
    await queue(1, 8)
    await queue(2, 8, { weight: 3 })
    const claims = await claimMissions(ground.db, await ground.alive(), 8)
    const ids = claims.map(({ tenantId }) => tenantId)
    expect([count(ids, tenant(1)), count(ids, tenant(2))]).toEqual([2, 6])
    expect(claims.filter(({ tenantId }) => tenantId === tenant(2)).map(({ tag, weight }) => [tag, weight])).toEqual(
      [0, 1 / 3, 2 / 3, 1, 4 / 3, 5 / 3].map((tag) => [tag, 3]),
    )
  })

  it.each([undefined, 5])('finds nothing of a tenant that is being removed, whose limit is %s', async (maxRunning) => {
    await queue(1, 3, { maxRunning })
    expect(await tenants(await ground.alive(1), 1)).toEqual([tenant(1)])
    await pass(1_000)
    await ground.store.markDeleted(tenant(1))
    expect(await isAnyFree(ground.db)).toBe(false)
    expect(await tenants(await ground.alive(), 5)).toEqual([])
    const refused = ground.create({ caller: { tenantId: tenant(1), name: 'x' }, instance: await ground.alive() })
    await expect(refused).rejects.toMatchObject({ code: 'not_ready' })
    expect(await ground.store.missions()).toHaveLength(3)
  })

  it('goes on from the turns that the caller knows of', async () => {
    await queue(1, 3)
    await queue(2, 3)
    const turns = { tenants: [tenant(1)], tags: [1.5] }
    expect(await tenants(await ground.alive(), 3, turns)).toEqual([tenant(2), tenant(2), tenant(1)])
  })

  it('never takes one tenant beyond its limit, over all instances and claims', async () => {
    await queue(1, 4, { maxRunning: 2 })
    await queue(2, 1)
    const [one, other] = [await ground.alive(), await ground.alive()]
    const first = await claimMissions(ground.db, one, 1, { tenants: [tenant(2)], tags: [1] })
    expect(first.map(({ tenantId, limited }) => [tenantId, limited])).toEqual([[tenant(1), true]])
    expect((await tenants(other, 9)).sort()).toEqual([tenant(1), tenant(2)])
    expect(await tenants(other, 9)).toEqual([])
    expect(await isAnyFree(ground.db)).toBe(false)
    const lease = { missionId: first[0]?.missionId ?? '', epoch: 1, instance: one }
    await appendAlone(ground.db, lease, 2, [], release(null))
    expect(await isAnyFree(ground.db)).toBe(true)
    expect(await tenants(other, 9)).toEqual([tenant(1)])
  })

  it('takes from the dead within the limit, who do not count towards it', async () => {
    await queue(1, 3, { maxRunning: 1 })
    expect(await tenants(await ground.alive(1), 9)).toEqual([tenant(1)])
    expect(await tenants(await ground.alive(), 9)).toEqual([])
    await pass(1000)
    const claims = await claimMissions(ground.db, idOf('instance', 2), 9)
    expect(claims.map(({ missionId }) => missionId)).toEqual([idOf('mission', 1)])
  })

  it('takes nothing from the dead for a tenant that has no room', async () => {
    await queue(1, 2, { maxRunning: 2 })
    const dead = await ground.alive(1)
    await tenants(dead, 1)
    await pass(1000)
    await ground.create({ caller: { tenantId: tenant(1), name: 'x' } })
    const living = await ground.alive()
    expect(await tenants(living, 1)).toHaveLength(1)
    expect(await tenants(living, 1)).toHaveLength(1)
    expect(await tenants(living, 1)).toEqual([])
  })

  it('passes a locked mission of a limited tenant over without giving its place to another', async () => {
    await queue(1, 2, { maxRunning: 1 })
    const instance = await ground.alive()
    await inTenant(ground.missions.databases.api, tenant(1), async (tx) => {
      await lockMission(tx, idOf('mission', 1))
      expect(await tenants(instance, 9)).toEqual([])
    })
    expect(await tenants(instance, 9)).toHaveLength(1)
  })
})
