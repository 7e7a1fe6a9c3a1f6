import { v7 as uuidv7 } from 'uuid'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { encodeManifest } from '../../src/backup/manifest.ts'
import { backupName, manifestFile } from '../../src/backup/name.ts'
import { backupWorries } from '../../src/backup/standing.ts'
import { createBackupWatch } from '../../src/backup/watch-backups.ts'
import { createDatabases, type Databases } from '../../src/db/connection.ts'
import { recordUpkeep, upkeepAges, type UpkeepKind } from '../../src/db/queries/upkeep.ts'
import { DAY_MS, manifestOf } from '../support/backups.ts'
import { memoryStore, type MemoryStore } from '../support/memory-store.ts'
import { createTestDatabase, withConnection, type TestDatabase } from '../support/postgres.ts'

const HOUR_MS = DAY_MS / 24

let database: TestDatabase
let databases: Databases
let store: MemoryStore
let clock = 0
let told: string[]
let watch: () => Promise<void>

beforeAll(async () => {
  database = await createTestDatabase()
  databases = createDatabases({ url: database.appUrl, pooler: undefined, onError: () => undefined })
})
beforeEach(async () => {
  store = memoryStore(Date.now())
  told = []
  clock = 0
  await withConnection(database.ownerUrl, (client) =>
    client.query(`delete from taskforce.upkeep; delete from taskforce.facts where name = 'backup_store'`),
  )
  watch = createBackupWatch({
    db: databases.engine,
    store,
    telemetry: { backupOverdue: ({ why }) => told.push(why) },
    now: () => clock,
  })
})
afterAll(async () => {
  await databases.close()
  await database.drop()
})

const record = (kind: UpkeepKind) =>
  recordUpkeep(databases.engine, {
    id: uuidv7(),
    kind,
    backup: undefined,
    startedAt: new Date(),
    ok: true,
    report: {},
  })

async function put(hoursAgo: number): Promise<void> {
  const now = store.clock
  store.clock = now - hoursAgo * HOUR_MS
  const name = backupName(new Date(store.clock))
  await store.put(`${name}.sql.zst`, Buffer.from('data'))
  await store.put(manifestFile(name), encodeManifest(manifestOf(name)))
  store.clock = now
}

const worries = async () => backupWorries(await upkeepAges(databases.engine))

it('a store that has lost its backups is told, and readiness knows it until the store has one again', async () => {
  await record('backup')
  await record('drill')
  await watch()
  expect(told).toEqual([expect.stringMatching(/^memory holds no verified backup, though one was made 0 h ago/)])
  expect(await worries()).toEqual(told)
  await put(3)
  clock += HOUR_MS
  await watch()
  expect(told).toHaveLength(1)
  expect(await worries()).toEqual([])
})

it('a store whose newest one is of the day before yesterday is another store', async () => {
  await record('backup')
  await put(50)
  await watch()
  expect(told).toEqual([expect.stringMatching(/^memory holds none since taskforce_backup_/)])
})

it('a store that does not answer is told, with why', async () => {
  await record('backup')
  store.breakList = true
  await watch()
  expect(told).toEqual([expect.stringMatching(/^memory could not be looked at: The second page/)])
})

it('a new deployment has nothing in its store, and an overdue backup is told once', async () => {
  await watch()
  expect(told).toEqual([])
  await record('backup')
  await withConnection(database.ownerUrl, (client) =>
    client.query(`update taskforce.upkeep set ended_at = now() - interval '3 days'`),
  )
  clock += HOUR_MS
  await watch()
  expect(told).toEqual([expect.stringMatching(/^No verified backup in time/)])
})

it('looks once an hour', async () => {
  await record('backup')
  await watch()
  clock += HOUR_MS - 1
  await watch()
  expect(told).toHaveLength(1)
})
