import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { backUpAndPrune } from '../../src/backup/back-up-and-prune.ts'
import type { BackupContext } from '../../src/backup/context.ts'
import { encodeManifest } from '../../src/backup/manifest.ts'
import { backupName, manifestFile } from '../../src/backup/name.ts'
import { runPrune } from '../../src/backup/run-prune.ts'
import { backupContext, type LogLine } from '../support/backup-context.ts'
import { DAY_MS, manifestOf } from '../support/backups.ts'
import { memoryStore, type MemoryStore } from '../support/memory-store.ts'
import { createTestDatabase, withConnection, type TestDatabase } from '../support/postgres.ts'

let database: TestDatabase
let lines: LogLine[]
let main: MemoryStore
let offsite: MemoryStore

beforeAll(async () => {
  database = await createTestDatabase()
})
beforeEach(async () => {
  lines = []
  ;[main, offsite] = [memoryStore(Date.now()), memoryStore(Date.now())]
  await withConnection(database.ownerUrl, (client) => client.query('delete from taskforce.upkeep'))
})
afterAll(() => database.drop())

function context(over: Partial<BackupContext> = {}): BackupContext {
  return backupContext({ databaseUrl: database.appUrl, main, offsite, ...over }, lines)
}

/** One a day, the newest a day old. */
async function fillDaily(store: MemoryStore, count: number): Promise<void> {
  const now = store.clock
  for (let daysAgo = count; daysAgo > 0; daysAgo--) {
    store.clock = now - daysAgo * DAY_MS
    const name = backupName(new Date(store.clock))
    await store.put(`${name}.sql.zst`, Buffer.from('data'))
    await store.put(manifestFile(name), encodeManifest(manifestOf(name, 4, [])))
  }
  store.clock = now
}

function rows(): Promise<{ kind: string; backup: string | null; ok: boolean; report: Record<string, unknown> }[]> {
  return withConnection(
    database.ownerUrl,
    async (client) =>
      (await client.query(`select kind, backup, ok, report from taskforce.upkeep where kind = 'prune'`)).rows,
  )
}

const events = () => lines.map(({ event }) => event)

describe('the run of every night', () => {
  it('makes a backup, removes three old ones of each store, and leaves a row of what, how much and why', async () => {
    await fillDaily(main, 35)
    await fillDaily(offsite, 35)
    const { name } = await backUpAndPrune(context(), {})
    expect([main.removals.length, offsite.removals.length]).toEqual([6, 6])
    expect(await rows()).toMatchObject([
      {
        backup: name,
        ok: true,
        report: {
          removed: [{ why: expect.stringMatching(/^it is 35 days older/) }, {}, {}],
          bytesFreed: 12,
          offsite: { removed: [{}, {}, {}] },
        },
      },
    ])
    expect(events()).toEqual(['backup.finished', 'backup.pruned'])
  })

  it('tells and records a store offsite that fails, and the backup stays made', async () => {
    await fillDaily(main, 35)
    const failing = { ...offsite, place: 'offsite', list: () => Promise.reject(new Error('403 of the account')) }
    await backUpAndPrune(context({ offsite: failing }), {})
    expect(await rows()).toMatchObject([
      { ok: false, report: { removed: [{}, {}, {}], offsite: { place: 'offsite' } } },
    ])
    expect(lines).toContainEqual(
      expect.objectContaining({ event: 'backup.prune.failed', level: 'error', place: 'offsite' }),
    )
  })

  it('removes nothing where the schema has drifted, since that backup is unverified', async () => {
    await fillDaily(main, 35)
    await withConnection(database.ownerUrl, (client) => client.query('create table taskforce.by_hand ()'))
    try {
      expect(await backUpAndPrune(context(), {})).toMatchObject({ verified: false })
    } finally {
      await withConnection(database.ownerUrl, (client) => client.query('drop table taskforce.by_hand'))
    }
    expect(main.removals).toEqual([])
    expect(await rows()).toEqual([])
  })

  it('tells of a list that breaks off, and answers with the backup', async () => {
    const context_ = context({ offsite: undefined })
    await fillDaily(main, 35)
    const begin = main.begin.bind(main)
    main.begin = (file) => {
      main.breakList = true
      return begin(file)
    }
    expect(await backUpAndPrune(context_, {})).toMatchObject({ verified: true })
    expect(await rows()).toMatchObject([{ ok: false, report: { why: expect.stringContaining('list') } }])
    expect(events()).toEqual(['backup.finished', 'backup.prune.failed'])
  })
})

describe('a prune by hand', () => {
  it('leaves no row where it is dry, and asks no database', async () => {
    await fillDaily(main, 35)
    const report = await runPrune(context({ databaseUrl: 'postgresql://nobody@127.0.0.1:1/none' }), {
      justVerified: undefined,
      byHand: true,
      dryRun: true,
    })
    expect(report.wouldRemove).toHaveLength(3)
    expect(main.removals).toEqual([])
    expect(await rows()).toEqual([])
  })

  it('removes nothing where it could not be recorded', async () => {
    await fillDaily(main, 35)
    const unreachable = context({ databaseUrl: 'postgresql://nobody@127.0.0.1:1/none' })
    const run = runPrune(unreachable, { justVerified: undefined, byHand: true })
    await expect(run).rejects.toMatchObject({ code: 'database_unreachable' })
    expect(main.removals).toEqual([])
    expect(events()).toEqual(['backup.prune.failed'])
  })

  it('is recorded where it is refused', async () => {
    const run = runPrune(context(), { justVerified: undefined, byHand: true })
    await expect(run).rejects.toMatchObject({ code: 'newest_backup_too_old' })
    expect(await rows()).toMatchObject([{ backup: null, ok: false, report: { why: expect.any(String) } }])
  })
})
