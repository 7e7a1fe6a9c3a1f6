import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { alone } from '../../src/backup/alone.ts'
import { backUp } from '../../src/backup/back-up.ts'
import { openDataKey } from '../../src/backup/codec/data-key.ts'
import type { BackupContext } from '../../src/backup/context.ts'
import { isVerified, type Encryption } from '../../src/backup/manifest.ts'
import { drillNewest } from '../../src/backup/drill-newest.ts'
import { restore } from '../../src/backup/restore/restore.ts'
import { listBackups } from '../../src/backup/retention/list-backups.ts'
import { runDrill } from '../../src/backup/run-drill.ts'
import { createFolderStore } from '../../src/backup/store/folder-store.ts'
import type { BackupStore } from '../../src/backup/store/store.ts'
import { readManifest } from '../../src/backup/read-manifest.ts'
import { verifyBackup } from '../../src/backup/verify-backup.ts'
import { migrateUp } from '../../src/db/migrate/up.ts'
import { TerminalError } from '../../src/domain/errors.ts'
import { backupContext, type LogLine } from '../support/backup-context.ts'
import { startKeyVault, testCredential, type KeyVault } from '../support/key-vault.ts'
import { createTestDatabase, withConnection, type TestDatabase } from '../support/postgres.ts'

const SEED_NAME = /^taskforce_backup_\d{8}_\d{6}$/
const ZSTD_MAGIC = 0xfd2fb528

let database: TestDatabase
let folder: string
let lines: LogLine[]
let stores: { main: BackupStore; offsite: BackupStore }

beforeAll(async () => {
  database = await createTestDatabase()
})
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'taskforce-backups-'))
  lines = []
  stores = { main: createFolderStore(join(folder, 'main')), offsite: createFolderStore(join(folder, 'offsite')) }
  await withConnection(database.ownerUrl, (client) => client.query('delete from taskforce.upkeep'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))
afterAll(() => database.drop())

function contextOf(over: Partial<BackupContext> = {}): BackupContext {
  return backupContext({ databaseUrl: database.appUrl, main: stores.main, ...over }, lines)
}

function upkeep(): Promise<{ kind: string; backup: string; ok: boolean; report: Record<string, unknown> }[]> {
  return withConnection(
    database.ownerUrl,
    async (client) =>
      (await client.query('select kind, backup, ok, report from taskforce.upkeep order by ended_at')).rows,
  )
}

describe('a backup', () => {
  it('is there with its manifest, verified, recorded and told', async () => {
    const report = await backUp(contextOf())
    expect(report).toMatchObject({ name: expect.stringMatching(SEED_NAME), verified: true, drift: [] })
    // Compressed from its first byte on, and nothing beside it.
    expect((await readdir(stores.main.place)).sort()).toEqual([
      `${report.name}.manifest.json`,
      `${report.name}.sql.zst`,
    ])
    const stored = await readFile(join(stores.main.place, `${report.name}.sql.zst`))
    expect(stored.readUInt32LE()).toBe(ZSTD_MAGIC)
    expect(report).not.toHaveProperty('offsite')
    expect(await listBackups(stores.main)).toMatchObject([
      { name: report.name, state: 'verified', bytes: report.bytes },
    ])
    expect(await verifyBackup(stores.main, report.name)).toMatchObject({ name: report.name, generation: 0 })
    expect(await upkeep()).toMatchObject([
      { kind: 'backup', backup: report.name, ok: true, report: { rows: report.rows } },
    ])
    expect(lines).toMatchObject([{ event: 'backup.finished', level: 'info' }])
  })

  it('is copied offsite, to the byte and with its manifest', async () => {
    const report = await backUp(contextOf({ offsite: stores.offsite }))
    expect(report.offsite).toEqual({ ok: true })
    expect(await verifyBackup(stores.offsite, report.name)).toEqual(await readManifest(stores.main, report.name))
  })

  it('exists and counts where the copy fails, which is told', async () => {
    const begin = () => Promise.reject(new TerminalError('store_unavailable', 'The storage does not answer.'))
    const report = await backUp(contextOf({ offsite: { ...stores.offsite, begin } }))
    expect(report).toMatchObject({ verified: true, offsite: { ok: false, why: 'The storage does not answer.' } })
    expect(await upkeep()).toMatchObject([{ ok: true, report: { offsite: { ok: false } } }])
    expect(lines.map(({ event }) => event)).toEqual(['backup.offsite.failed', 'backup.finished'])
  })

  it('takes the data of a schema that was changed by hand, and is unverified', async () => {
    await withConnection(database.ownerUrl, (client) =>
      client.query('create index by_hand on taskforce.missions (goal)'),
    )
    try {
      const report = await backUp(contextOf())
      expect(report.verified).toBe(false)
      expect(report.drift.join()).toContain('by_hand')
      expect(await upkeep()).toMatchObject([{ ok: false, report: { verified: false } }])
      expect(lines).toMatchObject([{ event: 'backup.unverified', level: 'error' }])
      expect(await listBackups(stores.main)).toMatchObject([{ state: 'unverified' }])
      await verifyBackup(stores.main, report.name)
    } finally {
      await withConnection(database.ownerUrl, (client) => client.query('drop index taskforce.by_hand'))
    }
  })

  it('lacks what it may not read, is unverified for that alone, and names it first and whole', async () => {
    const change = (sql: string) => withConnection(database.ownerUrl, (client) => client.query(sql))
    const tables = Array.from({ length: 25 }, (_, n) => `hidden_${String(n + 10)}`)
    await change(tables.map((name) => `create table taskforce.${name} (a integer);`).join(''))
    try {
      const report = await backUp(contextOf())
      const named = tables.map((name) => expect.stringContaining(`grant select on taskforce."${name}"`))
      expect(report).toMatchObject({ verified: false, missing: named })
      expect(lines).toMatchObject([{ event: 'backup.unverified', level: 'error', missing: named }])
      expect((lines[0] as unknown as { drift: string[] }).drift).toHaveLength(20)
      const manifest = await readManifest(stores.main, report.name)
      expect(isVerified({ ...manifest, contents: { ...manifest.contents, drift: [] } })).toBe(false)
      expect(await listBackups(stores.main)).toMatchObject([
        { state: 'unverified', problem: expect.stringMatching(/^NOT ALL DATA IS IN IT: table hidden_10: /) },
      ])
      const drilled = await runDrill(contextOf(), report.name)
      expect(drilled.checks.find(({ name }) => name === 'schema')).toMatchObject({
        ok: false,
        detail: expect.stringContaining('not all data is in the backup'),
      })
    } finally {
      await change(`drop table ${tables.map((name) => `taskforce.${name}`).join(', ')}`)
    }
  })

  it.each([1, 2])('of revision %i, which has no place to record it, is made before the migration', async (to) => {
    const older = await createTestDatabase({ migrated: false })
    try {
      await migrateUp(older.ownerUrl, { to })
      const report = await backUp(contextOf({ databaseUrl: older.ownerUrl }))
      expect(report).toMatchObject({ verified: true })
      expect(await runDrill(contextOf({ databaseUrl: older.ownerUrl }), report.name)).toMatchObject({ ok: true })
      expect(lines.map(({ event }) => event)).toEqual(['backup.finished', 'backup.drill.passed'])
    } finally {
      await older.drop()
    }
  })

  it('that can not be stored leaves nothing, and is recorded and told', async () => {
    const begin: BackupStore['begin'] = async (name) => {
      const pending = await stores.main.begin(name)
      return { ...pending, commit: () => Promise.reject(new TerminalError('store_full', 'The disk is full.')) }
    }
    await expect(backUp(contextOf({ main: { ...stores.main, begin } }))).rejects.toMatchObject({ code: 'store_full' })
    expect(await readdir(join(folder, 'main'))).toEqual([])
    expect(await upkeep()).toMatchObject([{ kind: 'backup', ok: false, report: { why: 'The disk is full.' } }])
    expect(lines).toMatchObject([{ event: 'backup.failed', level: 'error' }])
  })

  it('that is not what was dumped when it is read back never comes to exist', async () => {
    async function* flipped(name: string): AsyncGenerator<Buffer> {
      for await (const chunk of stores.main.read(name)) {
        const changed = Buffer.from(chunk)
        changed[200] = (changed[200] ?? 0) ^ 1
        yield changed
      }
    }
    const failing = backUp(contextOf({ main: { ...stores.main, read: flipped } }))
    await expect(failing).rejects.toMatchObject({
      code: expect.stringMatching(/^backup_(damaged|differs|unreadable)$/),
    })
    expect(await listBackups(stores.main)).toMatchObject([{ state: 'incomplete', hasManifest: false }])
    expect(await upkeep()).toMatchObject([{ ok: false }])
  })

  it('is refused before its first byte where it would be too large', async () => {
    await expect(backUp(contextOf(), { limitBytes: 1 })).rejects.toMatchObject({ code: 'backup_too_large' })
    expect(await readdir(join(folder, 'main'))).toEqual([])
    expect(await upkeep()).toMatchObject([{ ok: false }])
  })

  it('is refused while another one, or a drill, is under way', async () => {
    const context = contextOf()
    await alone(context, async () => {
      await expect(backUp(context)).rejects.toMatchObject({ code: 'upkeep_running' })
      await expect(runDrill(context, 'taskforce_backup_20260101_000000')).rejects.toMatchObject({
        code: 'upkeep_running',
      })
    })
    expect(await upkeep()).toEqual([])
  })
})

describe('the drill of the timer', () => {
  it('is of the newest verified backup, and none where there is no such one', async () => {
    expect(await drillNewest(contextOf())).toBeUndefined()
    const { name } = await backUp(contextOf())
    expect(await drillNewest(contextOf())).toMatchObject({ name, ok: true })
  })

  it('has failed where the store does not answer, and that is recorded and told', async () => {
    const list = () => Promise.reject(new TerminalError('store_unavailable', 'The storage does not answer.'))
    const failing = drillNewest(contextOf({ main: { ...stores.main, list } }))
    await expect(failing).rejects.toMatchObject({ code: 'store_unavailable' })
    expect(await upkeep()).toEqual([
      { kind: 'drill', backup: null, ok: false, report: { why: 'The storage does not answer.' } },
    ])
    expect(lines).toMatchObject([{ event: 'backup.drill.failed', level: 'error' }])
  })
})

describe('with a key of Key Vault', () => {
  let vault: KeyVault
  beforeAll(async () => {
    vault = await startKeyVault()
  })
  afterAll(() => vault.stop())

  function encrypting(): BackupContext {
    const client = {
      allowInsecureConnection: true,
      disableChallengeResourceVerification: true,
      retryOptions: { maxRetries: 0 },
    }
    return contextOf({ keyUrl: vault.keyUrl, keyVault: { credential: testCredential(), client } })
  }

  it('a backup is encrypted, and a drill opens it', async () => {
    const context = encrypting()
    const { name } = await backUp(context)
    const { file, stored } = await readManifest(stores.main, name)
    expect(file).toBe(`${name}.sql.zst.enc`)
    expect(stored.encryption).toMatchObject({ algorithm: 'AES-256-GCM' })
    expect(await runDrill(context, name)).toMatchObject({ ok: true })
    expect(await upkeep()).toMatchObject([
      { kind: 'backup', ok: true },
      { kind: 'drill', backup: name, ok: true },
    ])
  })

  it('a restore opens it, and with another data key leaves the target as it was', async () => {
    const context = encrypting()
    const { name, rows } = await backUp(context)
    const manifest = await readManifest(stores.main, name)
    const dataKey = await openDataKey(manifest.stored.encryption as Encryption, context.keyVault)
    const target = await createTestDatabase({ migrated: false })
    try {
      const into = (key: Buffer) =>
        restore({
          manifest,
          chunks: stores.main.read(manifest.file),
          dataKey: key,
          url: target.ownerUrl,
          replace: false,
          waitForLeasesMs: 300,
          effects: undefined,
        })
      await expect(into(randomBytes(32))).rejects.toMatchObject({ code: 'backup_damaged' })
      expect(await into(dataKey)).toMatchObject({ rows, revisionBefore: 0, drift: [] })
    } finally {
      await target.drop()
    }
  })

  it('that can not be used there is no backup, and none in the clear', async () => {
    vault.refuse('wrapkey', 403, 'Forbidden')
    await expect(backUp(encrypting())).rejects.toMatchObject({ code: 'key_unavailable' })
    expect(await stores.main.list()).toEqual([])
    expect(await upkeep()).toMatchObject([{ ok: false }])
  })
})
