import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createDatabases, type EngineDb } from '../../src/db/connection.ts'
import { inTenant } from '../../src/db/in-tenant.ts'
import { appendInTransaction } from '../../src/db/queries/append-events.ts'
import { beat } from '../../src/db/queries/instances.ts'
import { findDue } from '../../src/db/queries/sweep.ts'
import { isAnyFree } from '../../src/db/queries/claim-mission.ts'
import { wakeMission } from '../../src/db/queries/missions.ts'
import { createMissions } from '../../src/engine/postgres-missions.ts'
import type { Missions } from '../../src/engine/ports.ts'
import { appendAlone, claimOne, createWorld, until, type World } from '../support/engine.ts'

let world: World
let db: EngineDb

beforeEach(async () => {
  world = await createWorld()
  db = world.missions.databases.engine
  await world.create()
  await world.sql(`update taskforce.missions set status = 'completed', wake_at = null`)
})
afterEach(() => world.stop())

async function tenant(over: { weight?: number; maxRunning?: number } = {}): Promise<string> {
  const id = randomUUID()
  const { weight = 1, maxRunning = null } = over
  await world.sql('insert into taskforce.tenants (id, name, weight, max_running) values ($1::uuid, $1::text, $2, $3)', [
    id,
    weight,
    maxRunning,
  ])
  await world.sql(
    'insert into taskforce.profiles (tenant_id, hash, name, body) select $1, hash, name, body from taskforce.profiles where tenant_id <> $1 limit 1',
    [id],
  )
  return id
}

/** Missions that could have moved this long ago. */
async function queue(
  tenantId: string,
  count: number,
  over: { secondsAgo?: number; priority?: number } = {},
): Promise<void> {
  const { secondsAgo = 0, priority = 0 } = over
  await world.sql(
    `insert into taskforce.missions (id, tenant_id, status, goal, profile, profile_hash, wake_at, priority)
     select gen_random_uuid(), $1, 'queued', 'x', 'dev', p.hash, now() - make_interval(secs => $3), $4
     from generate_series(1, $2), (select hash from taskforce.profiles limit 1) p`,
    [tenantId, count, secondsAgo, priority],
  )
}

function instance(): Missions {
  return createMissions(db, { id: randomUUID(), version: '0', host: 'test' }, 60)
}

async function claimed(missions: Missions, claims: number, most = 1): Promise<string[]> {
  await missions.beat()
  const tenants: string[] = []
  for (let n = 0; n < claims; n++) tenants.push(...(await missions.claim(most, true)).map(({ tenantId }) => tenantId))
  return tenants
}

const count = (list: readonly string[], wanted: string) => list.filter((one) => one === wanted).length

/** Reads of tenants take long for one connection from then on, so that its snapshot is old when it comes to lock a row. */
async function slowDown(): Promise<void> {
  await world.sql(`
    create function taskforce.dawdle() returns boolean language plpgsql volatile as $$
    begin
      if current_setting('application_name') = 'slow' then perform pg_sleep(0.3); end if;
      return true;
    end $$;
    create policy slow on taskforce.tenants as restrictive for select to taskforce_engine using (taskforce.dawdle())`)
}

async function isSlow(): Promise<boolean> {
  const { rowCount } = await db.query(
    `select from pg_stat_activity where wait_event = 'PgSleep' and datname = current_database()`,
  )
  return rowCount === 1
}

async function alive(pool: EngineDb): Promise<string> {
  const id = randomUUID()
  await beat(pool, { id, version: '0', host: 'test' }, 60)
  return id
}

describe('a claim', () => {
  it('that began before a message came brings the message along, or leaves the mission', async () => {
    const id = await world.create()
    await slowDown()
    const slow = createDatabases({ url: world.database.appUrl, pooler: undefined, onError: () => undefined })
    try {
      const one = await alive(slow.engine)
      await slow.engine.query(`set application_name = 'slow'`)
      await inTenant(world.missions.databases.api, world.caller.tenantId, async (tx) => {
        // The message's transaction is older than the claim, and so is the time that it wakes the mission at.
        await tx.query('select now()')
        const late = claimOne(slow.engine, one)
        await until(isSlow)
        const content = 'Wait'
        await appendInTransaction(tx, id, 1, [{ type: 'mission.message', data: { role: 'user', content, by: 'x' } }])
        await wakeMission(tx, id)
        return { late }
      }).then(async ({ late }) => expect(await late).toBeUndefined())
    } finally {
      await slow.close()
    }
    const claim = await claimOne(db, await alive(db))
    expect(claim?.events?.map(({ type }) => type)).toContain('mission.message')
  })
})

it('a mission that is spoken to keeps its place among those that wait', async () => {
  const first = await world.create('first')
  await world.create('second')
  await inTenant(world.missions.databases.api, world.caller.tenantId, (tx) => wakeMission(tx, first))
  expect((await claimOne(db, await alive(db)))?.missionId).toBe(first)
})

describe('tenants', () => {
  it('take turns: ten thousand older missions of one do not delay the first of another', async () => {
    const [many, few] = [await tenant(), await tenant()]
    await queue(many, 10_000, { secondsAgo: 3600, priority: 100 })
    await queue(few, 2)
    expect(await claimed(instance(), 4)).toEqual([many, few, many, few])
    expect(count(await claimed(instance(), 1, 8), many)).toBe(8)
  })

  it('take turns within one claim too', async () => {
    const [many, few] = [await tenant(), await tenant()]
    await queue(many, 100, { secondsAgo: 3600 })
    await queue(few, 10)
    expect(count(await claimed(instance(), 1, 16), few)).toBe(8)
  })

  it('get as many turns as they weigh', async () => {
    const [heavy, light] = [await tenant({ weight: 3 }), await tenant()]
    await queue(light, 40, { secondsAgo: 60 })
    await queue(heavy, 40)
    const tenants = await claimed(instance(), 40)
    expect([count(tenants, heavy), count(tenants, light)]).toEqual([30, 10])
  })

  it('save up no turns while they have nothing to do', async () => {
    const [busy, late] = [await tenant(), await tenant()]
    await queue(busy, 60)
    const missions = instance()
    await claimed(missions, 20)
    await queue(late, 40)
    expect(count(await claimed(missions, 20), late)).toBeLessThanOrEqual(11)
  })

  it('come to the place of a mission that waited for its time, or whose owner died, like to any other', async () => {
    const [many, few] = [await tenant(), await tenant()]
    await queue(many, 100, { secondsAgo: 60 })
    await queue(few, 2, { secondsAgo: 10 })
    await world.sql(
      `update taskforce.missions set status = 'waiting' where id = (
      select id from taskforce.missions where tenant_id = $1 limit 1)`,
      [few],
    )
    await world.sql(
      `update taskforce.missions set owner = gen_random_uuid(), status = 'running' where id = (
      select id from taskforce.missions where tenant_id = $1 and status = 'queued' limit 1)`,
      [few],
    )
    expect(count(await claimed(instance(), 4), few)).toBe(2)
  })
})

describe('a limit of missions that move at once', () => {
  it('holds for all instances together, and frees a place when a mission rests', async () => {
    const [limited, other] = [await tenant({ maxRunning: 2 }), await tenant()]
    await queue(limited, 10, { secondsAgo: 60 })
    await queue(other, 3)
    expect(count(await claimed(instance(), 3), limited)).toBe(2)
    const third = randomUUID()
    expect(await claimed(instance(), 3)).toEqual([other, other])
    const [row] = await world.sql<{ id: string; owner: string; epoch: number }>(
      'select id, owner, epoch from taskforce.missions where tenant_id = $1 and owner is not null limit 1',
      [limited],
    )
    if (row === undefined) throw new Error('nothing runs')
    const lease = { missionId: row.id, instance: row.owner, epoch: row.epoch }
    const rest = { status: 'waiting', wakeInSeconds: null, release: true }
    expect(await appendAlone(db, lease, 0, [], rest)).toBeDefined()
    await beat(db, { id: third, version: '0', host: 'test' }, 60)
    expect((await claimOne(db, third))?.tenantId).toBe(limited)
    expect(await claimOne(db, third)).toBeUndefined()
  })

  it('hides nothing of other tenants where it is reached: neither orphans nor what is due', async () => {
    const [full, other] = [await tenant({ maxRunning: 1 }), await tenant()]
    await queue(full, 1)
    const one = await alive(db)
    expect((await claimOne(db, one))?.tenantId).toBe(full)
    await queue(full, 1_500, { secondsAgo: 60, priority: 9 })
    expect(await isAnyFree(db)).toBe(false)
    await world.sql(
      `update taskforce.missions set owner = '00000000-0000-0000-0000-000000000000', status = 'running'
      where id in (select id from taskforce.missions where tenant_id = $1 and owner is null limit 40)`,
      [full],
    )
    await queue(other, 1, { secondsAgo: -30 })
    expect((await findDue(db, 65, 1_000)).map(({ tenantId }) => tenantId)).toContain(other)
    await queue(other, 1)
    await world.sql(
      `update taskforce.missions set owner = 'ffffffff-ffff-ffff-ffff-ffffffffffff', status = 'running'
      where tenant_id = $1 and wake_at <= now()`,
      [other],
    )
    expect((await claimOne(db, one))?.tenantId).toBe(other)
  })

  it('can be looked at for ever', async () => {
    const limited = await tenant({ maxRunning: 5 })
    await world.sql('update taskforce.tenants set turns = 999999999 where id = $1', [limited])
    await queue(limited, 3)
    const one = await alive(db)
    expect(await claimOne(db, one)).toMatchObject({ tenantId: limited, limited: true })
    expect(await claimOne(db, one)).toMatchObject({ tenantId: limited })
    const [row] = await world.sql('select turns from taskforce.tenants where id = $1', [limited])
    expect(row).toEqual({ turns: 1 })
  })

  it('costs nothing where the tenant has nothing to do', async () => {
    const [limited, other] = [await tenant({ maxRunning: 5 }), await tenant()]
    await queue(other, 1)
    expect(await claimOne(db, await alive(db))).toMatchObject({ tenantId: other, limited: false })
    expect(await world.sql('select turns from taskforce.tenants where id = $1', [limited])).toEqual([{ turns: 0 }])
  })

  it('is not overstepped by a claim that began before another one was committed', async () => {
    const limited = await tenant({ maxRunning: 1 })
    await queue(limited, 10)
    await slowDown()
    const slow = createDatabases({ url: world.database.appUrl, pooler: undefined, onError: () => undefined })
    try {
      const [one, other] = [await alive(slow.engine), await alive(db)]
      await slow.engine.query(`set application_name = 'slow'`)
      const late = claimOne(slow.engine, one)
      await until(isSlow)
      // Not among those that the slow one knows of: both could take one otherwise.
      await queue(limited, 1, { priority: 1 })
      expect((await claimOne(db, other))?.tenantId).toBe(limited)
      expect(await late).toBeUndefined()
    } finally {
      await slow.close()
    }
  })
})
