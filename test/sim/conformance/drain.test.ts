import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { claimMissions, isAnyFree } from '../../../src/db/queries/claim-mission.ts'
import { clearDrain, readDrain, setDrain } from '../../../src/db/queries/drain.ts'
import { pollControl } from '../../../src/db/queries/instances.ts'
import { findDue } from '../../../src/db/queries/sweep.ts'
import { branchMission } from '../../../src/missions/branch-mission.ts'
import { createMission } from '../../../src/missions/create-mission.ts'
import { readMission } from '../../../src/missions/read-mission.ts'
import { CALLER, groundOn, idOf, NOBODY, OTHER, type Ground } from './ground.ts'
import { START, stores, type Store } from './stores.ts'

const byRestore = { by: 'restore', reason: 'a restore' }

describe.each(stores)('a deployment that drains, %s', (_, open) => {
  let store: Store
  let ground: Ground
  beforeAll(async () => (store = await open()))
  afterAll(() => store.stop())
  beforeEach(async () => (ground = await groundOn(store)))

  const claimed = async (instance: string, most = 5) =>
    (await claimMissions(ground.db, instance, most)).map(({ missionId }) => missionId)
  const due = async () => (await findDue(ground.db, 65, 10)).map(({ missionId }) => missionId)

  /** Free, in the hands of a dead one, and of a tenant with a limit. */
  async function work(): Promise<string[]> {
    await ground.store.addTenant({ id: OTHER.tenantId, maxRunning: 1 })
    const orphan = await ground.create()
    await ground.claim(await ground.alive(1))
    const ids = [orphan, await ground.create(), await ground.create({ caller: OTHER })]
    await ground.store.pass(1000)
    return ids
  }

  it('gives nothing out until that is cleared, and all of it then', async () => {
    const ids = await work()
    const instance = await ground.alive()
    await setDrain(ground.db, byRestore)
    expect(await claimed(instance)).toEqual([])
    expect([await isAnyFree(ground.db), await due()]).toEqual([false, []])
    await clearDrain(ground.db)
    expect(await isAnyFree(ground.db)).toBe(true)
    expect((await due()).toSorted()).toEqual(ids)
    expect((await claimed(instance)).toSorted()).toEqual(ids)
  })

  it('tells who owns something and who does not, at their polls', async () => {
    const id = await ground.create()
    const { lease } = await ground.claim(await ground.alive())
    await setDrain(ground.db, byRestore)
    expect(await pollControl(ground.db, lease.instance)).toMatchObject({ owned: [{ missionId: id }], draining: true })
    expect(await pollControl(ground.db, NOBODY)).toEqual({ owned: [], orphans: 0, draining: true })
    await clearDrain(ground.db)
    expect(await pollControl(ground.db, lease.instance)).toMatchObject({ draining: false })
  })

  it('takes no new mission, nor a branch, also for an instance that has room, and leaves nothing of it', async () => {
    const id = await ground.create()
    await setDrain(ground.db, byRestore)
    const instance = await ground.alive()
    const request = { messages: [{ role: 'user' as const, content: 'x' }], files: [], labels: {}, priority: 0 }
    const key = { key: 'k', fingerprint: 'f' }
    const refused = { code: 'not_ready' }
    await expect(createMission(ground.missions, CALLER, request)).rejects.toMatchObject(refused)
    await expect(createMission(ground.missions, CALLER, request, instance)).rejects.toMatchObject(refused)
    await expect(createMission(ground.missions, CALLER, { ...request, idempotency: key })).rejects.toMatchObject(
      refused,
    )
    await expect(branchMission(ground.missions, CALLER, id, { how: 'fork' })).rejects.toMatchObject(refused)
    expect((await ground.store.missions()).map((row) => row.id)).toEqual([id])
    expect((await readMission(ground.missions, CALLER, id)).status).toBe('queued')
    await clearDrain(ground.db)
    expect(await createMission(ground.missions, CALLER, { ...request, idempotency: key })).toMatchObject({
      replayed: false,
    })
  })

  it('gives a repeated request the mission that it made before', async () => {
    const idempotency = { key: 'k', fingerprint: 'f' }
    const id = await ground.create({ idempotency })
    await setDrain(ground.db, byRestore)
    expect(await ground.create({ idempotency })).toBe(id)
  })

  it('does so for as long as it was told, to the millisecond', async () => {
    await ground.create()
    await setDrain(ground.db, { ...byRestore, seconds: 10 })
    await ground.store.pass(9_999)
    expect(await claimed(idOf('instance', 1))).toEqual([])
    expect(await readDrain(ground.db)).toEqual({ ...byRestore, until: new Date(START + 10_000) })
    await ground.store.pass(1)
    expect(await readDrain(ground.db)).toBeUndefined()
    expect(await claimed(idOf('instance', 1))).toHaveLength(1)
  })

  it('says who wants it, and does not drain where nobody has', async () => {
    expect(await readDrain(ground.db)).toBeUndefined()
    await clearDrain(ground.db)
    expect(await readDrain(ground.db)).toBeUndefined()
    await setDrain(ground.db, { by: 'ada', reason: 'moving house', seconds: 5 })
    await setDrain(ground.db, { by: 'ada', reason: 'moving on' })
    expect(await readDrain(ground.db)).toEqual({ by: 'ada', reason: 'moving on', until: undefined })
  })
})
