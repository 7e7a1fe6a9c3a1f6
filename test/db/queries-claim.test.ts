import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createDatabases, type Databases, type EngineDb } from '../../src/db/connection.ts'
import type { Lease, Transition } from '../../src/db/queries/append-events.ts'
import { claimMissions, type Claim } from '../../src/db/queries/claim-mission.ts'
import { parseEvent } from '../../src/domain/parse-event.ts'
import { beat, forgetDead, leave, pollControl } from '../../src/db/queries/instances.ts'
import { abandonMission, readInbox } from '../../src/db/queries/release-mission.ts'
import { cancelMission } from '../../src/missions/cancel-mission.ts'
import { appendAlone, claimOne, createWorld, type World } from '../support/engine.ts'

const waiting = { status: 'waiting', wakeInSeconds: 0, release: true }

let world: World
let db: EngineDb

beforeEach(async () => {
  world = await createWorld()
  db = world.missions.databases.engine
})
afterEach(() => world.stop())

/** An instance that lives until the test says otherwise. */
async function alive(pool = db): Promise<string> {
  const id = randomUUID()
  await beat(pool, { id, version: '0', host: 'test' }, 60)
  return id
}

/** Whether a lease could be given back. */
async function release(lease: Lease, inbox: number, change: Transition): Promise<boolean> {
  return (await appendAlone(db, lease, 0, [], { ...change, inbox })) !== undefined
}

async function claimAs(instance: string): Promise<Claim> {
  const claim = await claimOne(db, instance)
  if (claim === undefined) throw new Error('there was nothing to claim')
  return claim
}

describe('a claim', () => {
  it('takes the highest priority first, then what has waited longest', async () => {
    const ids = [await world.create('old'), await world.create('new'), await world.create('urgent', { priority: 5 })]
    await world.letTimePass(ids[0] as string, 1000)
    const instance = await alive()
    const order = [await claimAs(instance), await claimAs(instance), await claimAs(instance)]
    expect(order.map(({ missionId }) => missionId)).toEqual([ids[2], ids[0], ids[1]])
    expect(await claimOne(db, instance)).toBeUndefined()
  })

  it('leaves alone what is not due, and what a living instance owns', async () => {
    const id = await world.create()
    await world.letTimePass(id, -60_000)
    const [one, other] = [await alive(), await alive()]
    expect(await claimOne(db, one)).toBeUndefined()
    await world.letTimePass(id, 120_000)
    await claimAs(one)
    expect(await claimOne(db, other)).toBeUndefined()
  })

  it('is fenced off by the next one, once the owner is dead', async () => {
    const id = await world.create()
    const [dead, other] = [await alive(), await alive()]
    const first = await claimAs(dead)
    await world.expire(dead)
    const second = await claimAs(other)
    expect(second).toMatchObject({ missionId: id, epoch: first.epoch + 1 })
    const lease = { missionId: id, epoch: first.epoch, instance: dead }
    expect(await release(lease, 0, waiting)).toBe(false)
    expect(await readInbox(db, lease)).toBeUndefined()
    expect(await pollControl(db, dead)).toMatchObject({ owned: [] })
    expect(await pollControl(db, other)).toMatchObject({ owned: [{ missionId: id, epoch: second.epoch }] })
  })

  it('counts the deaths without an event in between, and forgets them after one', async () => {
    await world.create()
    const crashes: number[] = []
    for (let n = 0; n < 4; n++) {
      const instance = await alive()
      crashes.push((await claimAs(instance)).crashes)
      await world.expire(instance)
    }
    expect(crashes).toEqual([0, 1, 2, 3])
    await world.sql(`insert into taskforce.events (mission_id, seq, epoch, v, type, data, tenant_id)
      select mission_id, 3, 1, 1, 'mission.paused', '{"by":"x"}', tenant_id from taskforce.events where seq = 1`)
    expect((await claimAs(await alive())).crashes).toBe(0)
  })

  it('starts a mission that has only been created, and brings its journal along', async () => {
    await world.create('Begin')
    const first = await alive()
    const claim = await claimAs(first)
    expect(claim).toMatchObject({ began: true })
    expect(claim.events?.map(parseEvent)).toEqual(
      (await world.events(claim.missionId)).map(({ seq, at, type, data }) => ({ seq, at: Math.trunc(at), type, data })),
    )
    expect(claim.events?.[1]).toMatchObject({ type: 'mission.started', data: { instance: first } })
    await world.expire(first)
    expect(await claimAs(await alive())).toMatchObject({ began: false, events: claim.events })
  })

  it('leaves a long journal to be read', async () => {
    const id = await world.create()
    await world.sql(
      `insert into taskforce.events (mission_id, seq, epoch, v, type, data, tenant_id)
       select mission_id, n, 0, 1, 'mission.message', '{"role":"user","content":"x","by":"x"}', tenant_id
       from taskforce.events, generate_series(2, 65) n where mission_id = $1`,
      [id],
    )
    expect(await claimAs(await alive())).toMatchObject({ began: false, events: undefined })
  })

  it('may be made for several at once', async () => {
    const ids = [await world.create(), await world.create(), await world.create()]
    const instance = await alive()
    const claims = await claimMissions(db, instance, 2)
    expect(claims.map(({ missionId, epoch }) => [missionId, epoch])).toEqual([
      [ids[0], 1],
      [ids[1], 1],
    ])
    expect((await claimMissions(db, instance, 5)).map(({ missionId }) => missionId)).toEqual([ids[2]])
  })

  it('gives the time of the database', async () => {
    await world.create()
    const [before] = await world.sql<{ at: Date }>('select clock_timestamp() as at')
    const { now } = await claimAs(await alive())
    const [after] = await world.sql<{ at: Date }>('select clock_timestamp() as at')
    expect(now).toBeGreaterThanOrEqual(Number(before?.at))
    expect(now).toBeLessThanOrEqual(Number(after?.at) + 1)
  })

  it('is never given to two of eight claimers that race for 300 missions', async () => {
    await world.create()
    await world.sql(`insert into taskforce.missions (id, tenant_id, status, goal, profile, profile_hash, wake_at)
      select gen_random_uuid(), tenant_id, 'queued', goal, profile, profile_hash, now()
      from taskforce.missions, generate_series(1, 299)`)
    const pools = Array.from({ length: 8 }, () => openDatabases())
    try {
      const claims = await Promise.all(pools.map(({ engine }) => claimAll(engine)))
      expect(claims.flat()).toHaveLength(300)
      expect(new Set(claims.flat()).size).toBe(300)
    } finally {
      await Promise.all(pools.map((pool) => pool.close()))
    }
  })

  function openDatabases(): Databases {
    return createDatabases({ url: world.database.appUrl, pooler: undefined, onError: () => undefined })
  }

  /** Each time as an instance that begins to live just then, which the other claimers' snapshots may not show yet. */
  async function claimAll(pool: EngineDb): Promise<string[]> {
    const ids: string[] = []
    const next = async () => claimOne(pool, await alive(pool))
    for (let claim = await next(); claim !== undefined; claim = await next()) ids.push(claim.missionId)
    return ids
  }
})

describe('a release', () => {
  it('is refused when something came in since the inbox was read', async () => {
    const id = await world.create()
    const instance = await alive()
    const { epoch, inbox } = await claimAs(instance)
    const lease = { missionId: id, epoch, instance }
    await world.sql('update taskforce.missions set inbox = inbox + 1')
    expect(await release(lease, inbox, waiting)).toBe(false)
    expect(await world.row(id)).toMatchObject({ status: 'running', owner: instance })
    expect(await release(lease, (await readInbox(db, lease)) as number, waiting)).toBe(true)
    expect(await world.row(id)).toMatchObject({ status: 'waiting', owner: null })
  })

  it('and a claim leave a cancelled mission alone', async () => {
    const id = await world.create()
    const instance = await alive()
    const { epoch, inbox } = await claimAs(instance)
    await cancelMission(world.missions, world.caller, id, undefined)
    expect(await release({ missionId: id, epoch, instance }, inbox, waiting)).toBe(false)
    expect(await claimOne(db, instance)).toBeUndefined()
    expect(await world.row(id)).toMatchObject({ status: 'cancelled', owner: null, wakeInMs: null })
  })

  it('by giving up counts like a death, and only the owner can do it', async () => {
    const id = await world.create()
    const [one, other] = [await alive(), await alive()]
    const { epoch } = await claimAs(one)
    await abandonMission(db, { missionId: id, epoch, instance: other })
    await abandonMission(db, { missionId: id, epoch: epoch + 1, instance: one })
    expect(await claimOne(db, other)).toBeUndefined()
    await abandonMission(db, { missionId: id, epoch, instance: one })
    expect(await claimAs(other)).toMatchObject({ missionId: id, epoch: epoch + 1, crashes: 1 })
  })
})

describe('the row of an instance', () => {
  it('is gone after a clean end, so that its missions are free at once', async () => {
    const id = await world.create()
    const [one, other] = [await alive(), await alive()]
    await claimAs(one)
    await leave(db, one)
    expect((await claimAs(other)).missionId).toBe(id)
  })

  it('is forgotten an hour after its death, not before', async () => {
    const [long, short, living] = [await alive(), await alive(), await alive()]
    await world.sql(`update taskforce.instances set alive_until = now() - interval '61 min' where id = $1`, [long])
    await world.sql(`update taskforce.instances set alive_until = now() - interval '59 min' where id = $1`, [short])
    await forgetDead(db)
    const left = await world.sql<{ id: string }>('select id from taskforce.instances')
    expect(left.map(({ id }) => id).sort()).toEqual([short, living].sort())
  })
})
