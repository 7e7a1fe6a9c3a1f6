import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readFingerprint } from '../../src/backup/dump/fingerprint.ts'
import { readSections } from '../../src/backup/dump/sections.ts'
import { tableSums } from '../../src/backup/dump/table-sums.ts'
import { CODE_REVISION } from '../../src/db/schema-revision.ts'
import { startThrowaway, type ThrowawayPostgres } from '../../src/local/postgres/start-throwaway.ts'
import { findOther } from '../support/other-postgres.ts'
import { dumpToMemory, restoreWithPsql, type Dumped } from '../support/plain-backup.ts'
import { createTestDatabase, withConnection } from '../support/postgres.ts'
import { writeNastyRows } from '../backup/nasty-rows.ts'

describe.each([15, 16, 17, 18])('a backup restored by psql into a new server of Postgres %i', async (major) => {
  const binaries = await findOther(major)

  describe.skipIf(binaries === undefined)('is whole there, and', () => {
    let postgres: ThrowawayPostgres
    let source: Dumped

    beforeAll(async () => {
      source = await dumpOfNastyRows()
      postgres = await startThrowaway(binaries!)
      await restoreWithPsql(postgres.superUrl, source.plain)
    }, 120_000)
    afterAll(() => postgres?.stop())

    it('is on a server of that version', async () => {
      const { rows } = await withConnection(postgres.superUrl, (client) => client.query('show server_version_num'))
      expect(Math.floor(Number(rows[0].server_version_num) / 10_000)).toBe(major)
    })

    it('has the same rows in every table', async () => {
      const sums = await withConnection(postgres.superUrl, (client) => tableSums(client, source.contents.tables))
      expect(sums).toEqual(
        source.contents.tables.map(({ name, rows, bytes, sha256 }) => ({ name, rows, bytes, sha256 })),
      )
    })

    it('has the schema of its sections, rights and row security with it', async () => {
      const { fingerprint } = await readSections(CODE_REVISION)
      const found = await withConnection(postgres.superUrl, async (client) => {
        await client.query(`begin read only; set local search_path = ''`)
        return readFingerprint(client)
      })
      expect(found).toEqual(fingerprint)
    })

    it('is dumped from there to the same rows', async () => {
      const { contents } = await dumpToMemory(postgres.superUrl)
      expect(contents.drift).toEqual([])
      expect(contents.tables).toEqual(source.contents.tables)
    })
  })
})

async function dumpOfNastyRows(): Promise<Dumped> {
  const database = await createTestDatabase()
  await withConnection(database.ownerUrl, writeNastyRows)
  const dumped = await dumpToMemory(database.appUrl)
  await database.drop()
  return dumped
}
