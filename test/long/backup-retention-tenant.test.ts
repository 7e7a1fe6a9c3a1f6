import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { encodeManifest } from '../../src/backup/manifest.ts'
import { backupName, manifestFile } from '../../src/backup/name.ts'
import { deleteTenant, type DeleteTenantRequest } from '../../src/backup/retention/delete-tenant.ts'
import { retain } from '../../src/backup/retention/retain.ts'
import { asRetention } from '../../src/db/as-retention.ts'
import { inTenant } from '../../src/db/in-tenant.ts'
import { markDeleted, removeRow } from '../../src/db/queries/delete-tenant.ts'
import { insertMission, recordCreation } from '../../src/db/queries/create-mission.ts'
import { send } from '../../src/db/statement.ts'
import { DEFAULT_TENANT } from '../../src/missions/context.ts'
import { createMission } from '../../src/missions/create-mission.ts'
import { DAY_MS, manifestOf } from '../support/backups.ts'
import { addContent, addEnded, addTenant, brokenMissions, OTHER_TENANT, rowsOf } from '../support/ended-missions.ts'
import { callTools, createWorld, gate, say, script, tool, until, type World } from '../support/engine.ts'
import { created } from '../support/journal.ts'
import { memoryStore, type MemoryStore } from '../support/memory-store.ts'
import { withConnection } from '../support/postgres.ts'

const OTHER = { tenantId: OTHER_TENANT, name: 'other' }
const NOTHING = [0, 0, 0, 0, 0, 0, 0, 0]
let world: World
let store: MemoryStore
let door: ReturnType<typeof gate>
beforeEach(async () => {
  door = gate()
  store = memoryStore(Date.now())
  world = await createWorld([tool('slow', async () => (await door.pass(), 'done'), { effect: 'idempotent' })])
  await addTenant(world.sql)
})
afterEach(() => world.stop())

const db = () => world.missions.databases.engine
const remove = (over: Partial<DeleteTenantRequest> = {}) =>
  deleteTenant({ db: db(), tenantId: OTHER_TENANT, store, retentionDays: 30, ...over })
const tenants = async () => (await world.sql<{ id: string }>('select id from taskforce.tenants')).map(({ id }) => id)

async function create(caller = OTHER): Promise<string> {
  const request = { messages: [{ role: 'user' as const, content: 'Do it' }], files: [], labels: {}, priority: 0 }
  return (await createMission(world.missions, caller, request)).mission.id
}

async function makeBackup(held = false): Promise<string> {
  const name = backupName(new Date(store.clock))
  await store.put(`${name}.sql.zst`, Buffer.from('data'))
  await store.put(manifestFile(name), encodeManifest(manifestOf(name)))
  if (held) await store.hold(`${name}.sql.zst`, true)
  return name
}

describe('removing a tenant', () => {
  it('takes all that is its own, nothing of another, and says what', async () => {
    await addEnded(world.sql, { tenantId: OTHER_TENANT, days: 3, count: 120, events: 5 })
    await addEnded(world.sql, { tenantId: DEFAULT_TENANT, days: 3, count: 7, events: 5 })
    for (const tenantId of [DEFAULT_TENANT, OTHER_TENANT]) await addContent(world.sql, tenantId, 'both have it', 0)
    await create()
    await world.create()
    await world.sql(`insert into taskforce.retention values ($1, 'failed', 3)`, [OTHER_TENANT])
    const before = await rowsOf(world.sql, DEFAULT_TENANT)
    const report = await remove()
    expect(report).toMatchObject({
      tenantId: OTHER_TENANT,
      name: OTHER_TENANT,
      missions: 121,
      events: 601,
      contents: 1,
      bytes: 12,
      done: true,
    })
    expect(Object.values(await rowsOf(world.sql, OTHER_TENANT))).toEqual(NOTHING)
    expect(await rowsOf(world.sql, DEFAULT_TENANT)).toEqual(before)
    expect(await tenants()).toEqual([DEFAULT_TENANT])
    await expect(remove()).rejects.toMatchObject({ code: 'tenant_not_found' })
  })

  it('is refused for the default one', async () => {
    await expect(remove({ tenantId: DEFAULT_TENANT })).rejects.toMatchObject({ code: 'default_tenant' })
  })

  it('stops its missions in the middle of a step, and those of others go on', async () => {
    const theirs = await create()
    const ours = await world.create()
    const model = script(callTools(['slow']), say('Done'))
    const one = world.engine({ model })
    const running = [one.engine.runOne(), one.engine.runOne()]
    await door.reached
    await until(async () => (await world.types(theirs)).length >= 3 && (await world.types(ours)).length >= 3)
    // The first step of a removal alone: nothing of the tenant is gone yet, and nothing moves any more.
    await asRetention(db(), (tx) => markDeleted(tx, OTHER_TENANT))
    const known = await world.types(theirs)
    door.open()
    await Promise.all(running)
    expect(await world.types(theirs)).toEqual(known)
    expect((await world.types(ours)).at(-1)).toBe('mission.completed')
    expect(one.told.leaseLost).toHaveLength(1)
    await world.expire(one.instance)
    expect(await world.engine({ model }).run()).toEqual([])
    expect(await world.types(theirs)).toEqual(known)
    await expect(create()).rejects.toMatchObject({ code: 'not_ready' })
    expect((await remove()).done).toBe(true)
    expect(await brokenMissions(world.sql)).toEqual([])
  })

  it('while its missions run leaves nothing of them', async () => {
    for (let n = 0; n < 20; n++) await create()
    const ours = await Promise.all(Array.from({ length: 5 }, () => world.create()))
    door.open()
    const model = script(...Array.from({ length: 8 }, () => callTools(['slow'], ['slow'])))
    const one = world.engine({ model, concurrency: 32 })
    const running = Promise.all(Array.from({ length: 25 }, () => one.engine.runOne()))
    await until(async () => (await world.sql('select from taskforce.events where seq > 4')).length > 20)
    const report = await remove()
    await running
    expect(report).toMatchObject({ missions: 20, done: true })
    expect(Object.values(await rowsOf(world.sql, OTHER_TENANT))).toEqual(NOTHING)
    expect(await brokenMissions(world.sql)).toEqual([])
    for (const id of ours) expect((await world.types(id)).at(-1)).toBe('mission.completed')
  })

  it('takes a mission too whose creation was under way, and refuses the next one', async () => {
    const profile = { name: 'dev', hash: 'h', body: {} }
    const id = '00000000-0000-7000-8000-00000000000a'
    const given = { id, tenantId: OTHER_TENANT, goal: 'x', profile, labels: {}, priority: 0 }
    let removal: Promise<unknown> | undefined
    await inTenant(world.missions.databases.api, OTHER_TENANT, async (tx) => {
      await send(tx, [insertMission(given), recordCreation(id, created())])
      removal = remove()
      const blocked = `select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`
      await withConnection(world.database.appUrl, (app) => until(async () => (await app.query(blocked)).rowCount !== 0))
    })
    expect(await removal).toMatchObject({ missions: 1, events: 1, done: true })
    expect(Object.values(await rowsOf(world.sql, OTHER_TENANT))).toEqual(NOTHING)
  })

  it('does not end while a mission is there that came in late', async () => {
    await addEnded(world.sql, { tenantId: OTHER_TENANT, days: 1 })
    await asRetention(db(), (tx) => markDeleted(tx, OTHER_TENANT))
    expect(await asRetention(db(), (tx) => removeRow(tx, OTHER_TENANT))).toBe(false)
    expect((await remove()).done).toBe(true)
  })

  it('that was interrupted is finished by the next call, or by the next retention', async () => {
    await addEnded(world.sql, { tenantId: OTHER_TENANT, days: 1, count: 3 })
    expect(await remove({ mostMs: 0 })).toMatchObject({ missions: 0, done: false })
    expect(await tenants()).toHaveLength(2)
    const first = await remove({ mostMs: 0 })
    const run = () => retain({ db: db(), missionDays: undefined, mostMs: 60_000 })
    expect((await retain({ db: db(), missionDays: undefined, mostMs: 60_000, dryRun: true })).tenants).toHaveLength(1)
    expect((await run()).tenants).toMatchObject([{ tenantId: OTHER_TENANT, missions: 3, events: 9, done: true }])
    expect((await run()).tenants).toEqual([])
    expect(await tenants()).toEqual([DEFAULT_TENANT])
    expect(Date.parse(first.deletedAt)).toBeGreaterThan(0)
  })
})

describe('what backups still have of it', () => {
  const iso = (ms: number) => new Date(ms).toISOString()

  it('goes when the last one goes that may have it', async () => {
    expect((await remove({ mostMs: 0 })).backups).toMatchObject({ lastBackupHolding: undefined, held: [] })
    store.clock += DAY_MS
    const name = await makeBackup()
    store.clock += DAY_MS
    expect((await remove({ mostMs: 0 })).backups).toEqual({
      lastBackupHolding: name,
      goneFromBackupsBy: iso(store.clock + 31 * DAY_MS),
      held: [],
    })
    // Seven newer ones have to be there, whatever the retention.
    expect((await remove({ mostMs: 0, retentionDays: 1 })).backups).toMatchObject({
      goneFromBackupsBy: iso(store.clock + 8 * DAY_MS),
    })
  })

  it('stays where one is held; one from before the tenant was made has nothing of it', async () => {
    store.clock -= 9 * DAY_MS
    await makeBackup(true)
    store.clock += 10 * DAY_MS
    expect((await remove({ mostMs: 0 })).backups).toMatchObject({ lastBackupHolding: undefined, held: [] })
    const held = await makeBackup(true)
    expect((await remove({ mostMs: 0 })).backups).toMatchObject({ goneFromBackupsBy: 'never while held', held: [held] })
  })

  it('is not known where the store does not answer; the tenant is removed all the same', async () => {
    store.breakList = true
    expect(await remove()).toMatchObject({ done: true, backups: { error: 'The second page of the list did not come' } })
  })
})
