import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { runRestore } from '../../src/backup/restore/run-restore.ts'
import { takeBackup, type TakenBackup } from '../support/taken-backups.ts'
import { createTestDatabase, withConnection, type TestDatabase } from '../support/postgres.ts'

let database: TestDatabase
let backup: TakenBackup
beforeEach(async () => {
  database = await createTestDatabase()
  backup = await takeBackup(database.appUrl)
})
afterEach(() => database.drop())

function run({
  stored = backup.stored,
  newId = () => randomUUID(),
  url = database.ownerUrl,
  replace = true,
}: { stored?: Buffer; newId?: () => string; url?: string; replace?: boolean } = {}) {
  const { manifest, chunks } = backup
  return runRestore({
    manifest,
    chunks: chunks(stored),
    url,
    newId,
    replace,
    waitForLeasesMs: 300,
    effects: undefined,
  })
}

const recorded = () =>
  withConnection(database.ownerUrl, async (client) => {
    const { rows } = await client.query(`select kind, backup, ok, report->>'why' as why from taskforce.upkeep`)
    return rows as unknown[]
  })

it('a restore that failed is recorded in the target, with why', async () => {
  await expect(run({ stored: backup.stored.subarray(0, 1_000) })).rejects.toMatchObject({ name: 'TerminalError' })
  const row = { kind: 'restore', backup: backup.manifest.name, ok: false, why: expect.any(String) }
  expect(await recorded()).toEqual([row])
})

it('a restore that failed does not keep the next one out of a database that was only migrated', async () => {
  const stored = backup.stored.subarray(0, 1_000)
  await expect(run({ stored, replace: false })).rejects.toMatchObject({ name: 'TerminalError' })
  expect(await recorded()).toMatchObject([{ ok: false }])
  expect(await run({ replace: false })).toMatchObject({ report: { from: backup.manifest.name } })
})

it('a failure is thrown as it is where it can’t be recorded', async () => {
  const stored = backup.stored.subarray(0, 1_000)
  await expect(run({ stored, newId: () => 'no id' })).rejects.toMatchObject({ name: 'TerminalError' })
  const empty = await createTestDatabase({ migrated: false })
  await expect(run({ stored, url: empty.ownerUrl })).rejects.toMatchObject({ name: 'TerminalError' })
  await empty.drop()
  expect(await recorded()).toEqual([])
})

it('a restore is done and reported where it can’t be recorded', async () => {
  expect(await run()).toMatchObject({ report: { from: backup.manifest.name }, notRecorded: undefined })
  expect(await recorded()).toEqual([{ kind: 'restore', backup: backup.manifest.name, ok: true, why: null }])
  expect(await run({ newId: () => 'no id' })).toMatchObject({
    report: { from: backup.manifest.name, generation: 2 },
    notRecorded: expect.stringContaining('uuid'),
  })
})
