import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { claimMissions } from '../../../src/db/queries/claim-mission.ts'
import { leave } from '../../../src/db/queries/instances.ts'
import { excuseMission } from '../../../src/db/queries/release-mission.ts'
import { findDue } from '../../../src/db/queries/sweep.ts'
import { appendAlone } from '../../support/engine.ts'
import { groundOn, said, type Ground } from './ground.ts'
import { stores, type Store } from './stores.ts'

describe.each(stores)('a mission that its instances may die of, %s', (_, open) => {
  let store: Store
  let ground: Ground
  beforeAll(async () => (store = await open()))
  afterAll(() => store.stop())
  beforeEach(async () => (ground = await groundOn(store)))

  const claim = async (most: number, suspect = true) => {
    const claims = await claimMissions(ground.db, await ground.alive(1), most, undefined, suspect)
    return claims.map(({ missionId }) => missionId)
  }
  /** Created one after the other; instances that do nothing but hold them die so many times. */
  const created = async (count: number, deaths: number) => {
    const ids: string[] = []
    for (let n = 0; n < count; n++) {
      ids.push(await ground.create())
      await ground.store.pass(1)
    }
    for (let n = 0; n < deaths; n++) {
      // Each in an instance of its own, so that suspects are claimed too.
      for (let k = 0; k < count; k++) await claim(1)
      await ground.store.pass(1_000)
    }
    return ids
  }

  it('is claimed with others after one death, and alone of its kind after two', async () => {
    const ids = await created(3, 1)
    expect(await claim(3)).toHaveLength(3)
    await ground.store.pass(1_000)
    const fresh = await ground.create()
    expect(new Set(await claim(4))).toEqual(new Set([fresh, ids[0]]))
    expect(await claim(4)).toEqual([ids[1]])
  })

  it('is passed over by who holds one, which still gets others', async () => {
    const ids = await created(20, 2)
    expect(await claim(5, false)).toEqual([])
    const fresh = await ground.create()
    expect(await claim(5, false)).toEqual([fresh])
    expect(ids).toContain((await claim(5))[0])
  })

  it('is one even without an owner, and none any more after an event', async () => {
    const [id] = (await created(1, 2)) as [string]
    const third = await ground.claim(await ground.alive())
    await excuseMission(ground.db, third.lease, 0)
    expect(await claim(1, false)).toEqual([])
    const fourth = await ground.claim(await ground.alive())
    await appendAlone(ground.db, fourth.lease, 2, [said('x')])
    await leave(ground.db, fourth.lease.instance)
    // The row still has the old count, so that one more instance has to be free of suspects.
    const fifth = await ground.claim(await ground.alive(1))
    expect(fifth).toMatchObject({ missionId: id, crashes: 0 })
    await ground.store.pass(1_000)
    expect(await claim(1, false)).toEqual([id])
  })

  it('gets its wake after all others', async () => {
    const [first] = await created(1, 1)
    const [second, third] = [await ground.create(), await ground.create()]
    const due = await findDue(ground.db, 65, 10)
    expect(due.map(({ missionId }) => missionId)).toEqual([second, third, first])
  })
})
