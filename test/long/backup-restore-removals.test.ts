import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { restore } from '../../src/backup/restore/restore.ts'
import type { DeleteTenantReport } from '../../src/backup/retention/delete-tenant.ts'
import { retain } from '../../src/backup/retention/retain.ts'
import { runDeleteTenant } from '../../src/backup/retention/run-delete-tenant.ts'
import { runRetention } from '../../src/backup/retention/run-retention.ts'
import { createTelemetry } from '../../src/telemetry/events.ts'
import { createLogger } from '../../src/telemetry/logger.ts'
import { addEnded, addTenant, OTHER_TENANT, rowsOf } from '../support/ended-missions.ts'
import { createWorld, type World } from '../support/engine.ts'
import { memoryStore } from '../support/memory-store.ts'
import { takeBackup, type TakenBackup } from '../support/taken-backups.ts'

let world: World
let backup: TakenBackup
beforeEach(async () => {
  world = await createWorld()
  await addTenant(world.sql)
  await addEnded(world.sql, { tenantId: OTHER_TENANT, days: 1, count: 3 })
  backup = await takeBackup(world.database.appUrl)
})
afterEach(() => world.stop())

const db = () => world.missions.databases.engine
const isThere = async () => (await rowsOf(world.sql, OTHER_TENANT)).missions === 3

/** As the command does it. */
async function remove(mostMs?: number): Promise<DeleteTenantReport> {
  const { report, notRecorded } = await runDeleteTenant({ ...removal(), ...(mostMs === undefined ? {} : { mostMs }) })
  expect(notRecorded).toBeUndefined()
  return report
}

function removal() {
  const store = memoryStore(Date.now())
  return { db: db(), tenantId: OTHER_TENANT, store, retentionDays: 30, newId: () => randomUUID() as string }
}

function restoreIt() {
  const { manifest, chunks } = backup
  const url = world.database.ownerUrl
  return restore({ manifest, chunks: chunks(), url, replace: true, waitForLeasesMs: 500, effects: undefined })
}

async function runRetain(): Promise<void> {
  const telemetry = createTelemetry(createLogger({ level: 'silent', secrets: [], destination: { write: () => true } }))
  await runRetention({ db: db(), missionDays: undefined, newId: randomUUID, telemetry, mostMs: 60_000 })
}

it.each([
  ['that the command finished', async () => void (await remove())],
  ['that a later retention finished', async () => (await remove(0), runRetain())],
])('a removal %s is carried over to a restored backup of before it, and done again', async (_, removed) => {
  await removed()
  expect(await isThere()).toBe(false)
  expect(await restoreIt()).toMatchObject({ tenantsRemovedSince: 1 })
  expect(await isThere()).toBe(true)
  expect(await retain({ db: db(), missionDays: undefined, mostMs: 60_000 })).toMatchObject({
    tenants: [{ tenantId: OTHER_TENANT, missions: 3, done: true }],
  })
  expect(await isThere()).toBe(false)
  // Its row is what the next restore goes by.
  expect(await restoreIt()).toMatchObject({ tenantsRemovedSince: 1 })
})

it.each([
  ['of a tenant that somebody wanted back', () => addTenant(world.sql)],
  ['of before it was made', () => world.sql(`update taskforce.upkeep set ended_at = ended_at - interval '1 hour'`)],
  ['that failed', () => world.sql(`update taskforce.upkeep set ok = false`)],
])('a removal %s is not carried over', async (_, change) => {
  await remove()
  await change()
  expect(await restoreIt()).toMatchObject({ tenantsRemovedSince: 0 })
})

it('a removal names the schemas of earlier restores that have the tenant, and none that have not', async () => {
  expect((await remove()).earlierSchemas).toEqual([])
  // The first has nothing of it, the second has it, and the third is of before there was retention.
  const first = (await restoreIt()).previous
  const second = (await restoreIt()).previous
  const third = (await restoreIt()).previous
  const [without, holding, hidden] = [first, second, third].map((previous) => previous.at(-1))
  await world.sql(`revoke usage on schema ${hidden?.schema} from taskforce_retention`)
  const { earlierSchemas } = await remove()
  expect(earlierSchemas).toEqual([holding, hidden])
  expect(earlierSchemas).not.toContainEqual(without)
  await world.sql(earlierSchemas.map(({ dropSql }) => dropSql).join(' '))
  await restoreIt()
  const [last] = (await remove()).earlierSchemas
  expect(last).toBeUndefined()
})

it('a removal is recorded, also where it failed, and what can’t be recorded changes nothing', async () => {
  const tenantId = '00000000-0000-7000-8000-0000000000ee'
  await expect(runDeleteTenant({ ...removal(), tenantId })).rejects.toMatchObject({ code: 'tenant_not_found' })
  const newId = () => 'no id'
  await expect(runDeleteTenant({ ...removal(), tenantId, newId })).rejects.toMatchObject({ code: 'tenant_not_found' })
  expect(await runDeleteTenant({ ...removal(), newId })).toMatchObject({
    report: { missions: 3, done: true },
    notRecorded: expect.stringContaining('uuid'),
  })
  expect(await world.sql('select kind, ok, report from taskforce.upkeep order by ended_at')).toEqual([
    { kind: 'delete_tenant', ok: false, report: { tenantId, why: expect.stringContaining('there is no tenant') } },
    // Of the removal's own transaction, whatever becomes of the run.
    { kind: 'delete_tenant', ok: true, report: { tenantId: OTHER_TENANT, gone: true } },
  ])
  expect(await restoreIt()).toMatchObject({ tenantsRemovedSince: 1 })
})
