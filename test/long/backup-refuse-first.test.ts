import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { reconcile } from '../../src/backup/restore/reconcile.ts'
import { restore } from '../../src/backup/restore/restore.ts'
import { findBinaries } from '../../src/local/postgres/binaries.ts'
import { startThrowaway, type ThrowawayPostgres } from '../../src/local/postgres/start-throwaway.ts'
import { createTestDatabase, withConnection } from '../support/postgres.ts'
import { takeBackup, type TakenBackup } from '../support/taken-backups.ts'

/** A server that has nothing of ours, as where a wrong address was given. */
describe('what is refused on a server of somebody else', () => {
  let postgres: ThrowawayPostgres
  let backup: TakenBackup

  beforeAll(async () => {
    const source = await createTestDatabase()
    backup = await takeBackup(source.appUrl)
    await source.drop()
    postgres = await startThrowaway(await findBinaries())
  }, 120_000)
  afterAll(() => postgres?.stop())

  const query = (sql: string) =>
    withConnection(postgres.superUrl, async (client) => (await client.query(sql)).rows as unknown[])
  const rolesMade = () => query(`select rolname from pg_roles where rolname like 'taskforce%'`)

  it('leaves no roles there', async () => {
    const options = { url: postgres.superUrl, waitForLeasesMs: 300, effects: undefined }
    await expect(reconcile(options)).rejects.toMatchObject({ code: 'nothing_to_reconcile' })
    expect(await rolesMade()).toEqual([])
    await query('create schema taskforce; create table taskforce.theirs as select 1 as one')
    const { manifest, chunks } = backup
    const restoring = restore({ ...options, manifest, chunks: chunks(), replace: false })
    await expect(restoring).rejects.toMatchObject({ code: 'target_not_empty' })
    expect(await rolesMade()).toEqual([])
  })
})
