import { createHash } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { asRetention } from '../../src/db/as-retention.ts'
import { inTenant } from '../../src/db/in-tenant.ts'
import { keepMission } from '../../src/db/queries/missions.ts'
import { FIRST, lockOld, removeMissions } from '../../src/db/queries/retention-missions.ts'
import { clearPolicy, listPolicies, setPolicy } from '../../src/db/queries/retention-policies.ts'
import { retain, type RetainReport, type RetainRequest } from '../../src/backup/retention/retain.ts'
import { branchMission } from '../../src/missions/branch-mission.ts'
import { cancelMission } from '../../src/missions/cancel-mission.ts'
import { DEFAULT_TENANT } from '../../src/missions/context.ts'
import { callTools, createWorld, script, tool, until, type World } from '../support/engine.ts'
import { addContent, addEnded, addTenant, brokenMissions, OTHER_TENANT, rowsOf } from '../support/ended-missions.ts'
import { withConnection } from '../support/postgres.ts'

/** Of the text `shared`. */
const SHARED = createHash('sha256').update('shared').digest('hex')

let world: World
beforeEach(async () => (world = await createWorld([tool('nothing', () => 'ok')])))
afterEach(() => world.stop())

const db = () => world.missions.databases.engine
const run = (over: Partial<RetainRequest> = {}) => retain({ db: db(), missionDays: 30, mostMs: 60_000, ...over })
const left = async () => (await world.sql<{ id: string }>('select id from taskforce.missions')).map(({ id }) => id)
const set = (tenantId: string, status: 'completed' | 'failed' | 'cancelled', keepDays: number) =>
  withConnection(world.database.ownerUrl, (owner) => setPolicy(owner, { tenantId, status, keepDays }))

const endedAgo = (id: string, time: string) =>
  world.sql('update taskforce.missions set ended_at = now() - $2::interval where id = $1', [id, time])

describe('ended missions', () => {
  it('go with all that is theirs when they ended longer ago than the deployment says; without a word of it, never', async () => {
    const [old = ''] = await addEnded(world.sql, { tenantId: DEFAULT_TENANT, days: 31, events: 7 })
    const [young = ''] = await addEnded(world.sql, { tenantId: DEFAULT_TENANT, days: 29 })
    const open = await world.create()
    for (const id of [old, young]) {
      await world.sql(
        `insert into taskforce.idempotency_keys (tenant_id, key, fingerprint, mission_id) values ($1, $2, 'f', $3)`,
        [DEFAULT_TENANT, id, id],
      )
      await world.sql(
        `insert into taskforce.deltas (mission_id, tenant_id, epoch, after_seq, text) values ($1, $2, 1, 1, 'x')`,
        [id, DEFAULT_TENANT],
      )
      await world.sql('insert into taskforce.watched (mission_id, tenant_id, until) values ($1, $2, now())', [
        id,
        DEFAULT_TENANT,
      ])
    }
    await run({ missionDays: undefined })
    expect(await left()).toHaveLength(3)
    const { missions } = await run()
    expect(missions.find(({ status }) => status === 'completed')).toEqual({
      tenantId: DEFAULT_TENANT,
      status: 'completed',
      days: 30,
      old: 1,
      keptForBranches: 0,
      missions: 1,
      events: 7,
      keys: 1,
    })
    expect((await left()).sort()).toEqual([young, open].sort())
    expect(await rowsOf(world.sql, DEFAULT_TENANT)).toMatchObject({
      events: 3 + 1,
      idempotency_keys: 1,
      deltas: 1,
      watched: 1,
    })
  })

  it('go by the policy of their tenant and of how they ended, and nothing of another tenant is touched', async () => {
    await addTenant(world.sql)
    const kept: string[] = []
    for (const tenantId of [DEFAULT_TENANT, OTHER_TENANT]) {
      for (const status of ['completed', 'failed', 'cancelled'] as const) {
        const ids = await addEnded(world.sql, { tenantId, status, days: 10, count: 3 })
        if (tenantId !== OTHER_TENANT || status !== 'failed') kept.push(...ids)
      }
    }
    await set(OTHER_TENANT, 'failed', 9)
    await set(OTHER_TENANT, 'completed', 11)
    await set(DEFAULT_TENANT, 'failed', 1)
    await set(DEFAULT_TENANT, 'failed', 12)
    const before = await rowsOf(world.sql, DEFAULT_TENANT)
    const { missions } = await run()
    expect(missions.filter((one) => one.missions > 0)).toMatchObject([
      { tenantId: OTHER_TENANT, status: 'failed', days: 9 },
    ])
    expect((await left()).sort()).toEqual(kept.sort())
    expect(await rowsOf(world.sql, DEFAULT_TENANT)).toEqual(before)
  })

  it('stay for some minutes even where they are kept for no day', async () => {
    const id = await world.create()
    await cancelMission(world.missions, world.caller, id, undefined)
    await set(DEFAULT_TENANT, 'cancelled', 0)
    await run()
    expect(await left()).toEqual([id])
    await endedAgo(id, '11 minutes')
    await run()
    expect(await left()).toEqual([])
  })

  it('are only counted by a dry run, which says the same as a real one then does', async () => {
    const [named = '', shared = ''] = await addEnded(world.sql, { tenantId: DEFAULT_TENANT, days: 40, count: 5 })
    const [young = ''] = await addEnded(world.sql, { tenantId: DEFAULT_TENANT, days: 5 })
    await addTenant(world.sql)
    await addEnded(world.sql, { tenantId: OTHER_TENANT, days: 40, count: 2 })
    await world.sql('update taskforce.tenants set deleted_at = now() where id = $1', [OTHER_TENANT])
    for (const tenantId of [DEFAULT_TENANT, OTHER_TENANT]) await addContent(world.sql, tenantId, 'unnamed', 9)
    for (const id of [named, shared, young]) {
      const sha256 = await addContent(world.sql, DEFAULT_TENANT, id === named ? 'named' : 'shared', 9).catch(
        () => SHARED,
      )
      const data = { content: { sha256, bytes: 1 } }
      await world.sql('update taskforce.events set data = $2 where mission_id = $1 and seq = 2', [id, data])
    }
    for (const [key, missionId, tenantId] of [
      ['going', named, DEFAULT_TENANT],
      ['old', young, DEFAULT_TENANT],
      ['deleted', young, OTHER_TENANT],
    ]) {
      await world.sql(
        `insert into taskforce.idempotency_keys (tenant_id, key, fingerprint, mission_id, created_at)
         values ($1, $2, 'f', $3, now() - interval '8 days')`,
        [tenantId, key, missionId],
      )
    }
    await world.sql(
      `insert into taskforce.profiles (tenant_id, hash, name, body, created_at)
       select $1, 'h' || n, 'old', '{}', now() - make_interval(days => 9 - n) from generate_series(1, 3) n`,
      [DEFAULT_TENANT],
    )
    await world.sql(
      `insert into taskforce.upkeep (id, kind, started_at, ended_at, ok, report)
       select gen_random_uuid(), 'prune', at, at, true, '{}' from unnest(array[now() - interval '500 days', now()]) at`,
    )
    const parts = (report: RetainReport) => ({
      ...report,
      dryRun: undefined,
      durationsMs: undefined,
      tenants: report.tenants.map((tenant) => ({ ...tenant, done: true })),
    })
    const before = await left()
    const would = await run({ dryRun: true })
    expect(await left()).toEqual(before)
    const did = await run()
    expect(parts(would)).toEqual(parts(did))
    expect(did).toMatchObject({ tenants: [{ missions: 2, events: 6 }], keys: 1, contents: { removed: 2 }, upkeep: 1 })
    expect(did.profiles).toBeGreaterThan(0)
    expect(await left()).toEqual([young])
  })

  it('go in batches, long journals alone, and what there was no time for goes next time', async () => {
    await addEnded(world.sql, { tenantId: DEFAULT_TENANT, days: 40, count: 25, events: 40 })
    await addEnded(world.sql, { tenantId: DEFAULT_TENANT, days: 41, events: 12_000 })
    const stopped = await run({ signal: AbortSignal.abort() })
    expect(stopped).toMatchObject({ outOfTime: true, missions: [] })
    const { missions, outOfTime } = await run({ batch: 10 })
    expect(missions[0]).toMatchObject({ missions: 26, events: 13_000 })
    expect(outOfTime).toBe(false)
    expect(await rowsOf(world.sql, DEFAULT_TENANT)).toMatchObject({ missions: 0, events: 0 })
  })

  it('are passed over while somebody holds their rows', async () => {
    const [held = ''] = await addEnded(world.sql, { tenantId: DEFAULT_TENANT, days: 40, count: 4 })
    await withConnection(world.database.ownerUrl, async (other) => {
      await other.query('begin')
      await other.query('select from taskforce.missions where id = $1 for no key update', [held])
      expect((await run()).missions[0]).toMatchObject({ missions: 3 })
      expect(await left()).toEqual([held])
      await other.query('rollback')
    })
    await run()
    expect(await left()).toEqual([])
    expect(await brokenMissions(world.sql)).toEqual([])
  })
})

describe('a mission that another one goes on from', () => {
  const forkOf = async (parent: string, child: string) =>
    world.sql('update taskforce.missions set forked_from = $1, forked_seq = 1 where id = $2', [parent, child])

  it('stays as long as that one, through all generations, and goes with it', async () => {
    const [a = '', b = '', c = ''] = await addEnded(world.sql, { tenantId: DEFAULT_TENANT, days: 50, count: 3 })
    const [young = ''] = await addEnded(world.sql, { tenantId: DEFAULT_TENANT, status: 'failed', days: 5 })
    await forkOf(a, b)
    await forkOf(b, young)
    const report = await run()
    expect(report.missions[0]).toMatchObject({ status: 'completed', old: 1, keptForBranches: 2, missions: 1 })
    expect((await left()).sort()).toEqual([a, b, young].sort())
    expect(c).not.toBe('')
    await set(DEFAULT_TENANT, 'failed', 4)
    await run()
    expect(await left()).toEqual([])
  })

  it('is not taken from under a branch that is being made', async () => {
    const parent = await world.create()
    await cancelMission(world.missions, world.caller, parent, undefined)
    await endedAgo(parent, '40 days')
    const { tenantId } = world.caller
    await inTenant(world.missions.databases.api, tenantId, async (tx) => {
      expect(await keepMission(tx, parent)).toBeDefined()
      await run()
    })
    expect(await left()).toEqual([parent])
    // The other way around: the branch waits for the removal, and then there is nothing to go on from.
    let branch: Promise<unknown> = Promise.resolve()
    await asRetention(db(), async (tx) => {
      const found = await lockOld(tx, { tenantId, status: 'cancelled', days: 30, after: FIRST, limit: 9 })
      branch = branchMission(world.missions, world.caller, parent, { how: 'retry' }).catch((error: unknown) => error)
      await withConnection(world.database.appUrl, async (app) => {
        const waiting = `select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`
        await until(async () => (await app.query(waiting)).rowCount !== 0)
      })
      const ids = found.map(({ id }) => id)
      expect(await removeMissions(tx, tenantId, ids)).toMatchObject({ missions: 1 })
    })
    expect(await branch).toMatchObject({ code: 'not_found' })
    expect(await left()).toEqual([])
  })

  it('stays though the branch was committed after the search had begun', async () => {
    const parent = await world.create()
    await cancelMission(world.missions, world.caller, parent, undefined)
    await branchMission(world.missions, world.caller, parent, { how: 'retry' })
    const removed = await asRetention(db(), (tx) => removeMissions(tx, world.caller.tenantId, [parent]))
    expect(removed.missions).toBe(0)
    expect(await world.types(parent)).toHaveLength(2)
  })
})

describe('running missions', () => {
  it('go on while thousands of events go, and lose no lease', async () => {
    await addEnded(world.sql, { tenantId: DEFAULT_TENANT, days: 40, count: 300, events: 20 })
    const ids = await Promise.all(Array.from({ length: 10 }, () => world.create()))
    const one = world.engine({ model: script(...Array.from({ length: 8 }, () => callTools(['nothing']))) })
    const [report, ends] = await Promise.all([
      run({ batch: 20 }),
      Promise.all(ids.map(async () => (await one.engine.runOne())?.end)),
    ])
    expect(report.missions[0]).toMatchObject({ missions: 300, events: 6_000 })
    expect(ends).toEqual(ids.map(() => 'ended'))
    expect(one.told.leaseLost).toBeUndefined()
    expect(await brokenMissions(world.sql)).toEqual([])
    for (const id of ids) expect((await world.types(id)).at(-1)).toBe('mission.completed')
  })
})

describe('policies', () => {
  it('are the owner’s to set and clear; the app reads them', async () => {
    await set(DEFAULT_TENANT, 'failed', 3)
    await set(DEFAULT_TENANT, 'failed', 4)
    expect(await listPolicies(db())).toEqual([{ tenantId: DEFAULT_TENANT, status: 'failed', keepDays: 4 }])
    const policy = { tenantId: DEFAULT_TENANT, status: 'failed' as const, keepDays: 1 }
    await expect(setPolicy(db(), policy)).rejects.toMatchObject({ code: '42501' })
    await withConnection(world.database.ownerUrl, async (owner) => {
      expect(await clearPolicy(owner, DEFAULT_TENANT, 'failed')).toBe(true)
      expect(await clearPolicy(owner, DEFAULT_TENANT, 'failed')).toBe(false)
    })
    expect(await listPolicies(db())).toEqual([])
  })

  it('nor may the app take anything away without the role', async () => {
    for (const table of ['missions', 'events', 'contents', 'profiles', 'idempotency_keys', 'tenants']) {
      await expect(db().query(`delete from taskforce.${table}`)).rejects.toMatchObject({ code: '42501' })
    }
  })
})
