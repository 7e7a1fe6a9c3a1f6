import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { tableSums } from '../../src/backup/dump/table-sums.ts'
import { drill } from '../../src/backup/restore/drill.ts'
import { restore } from '../../src/backup/restore/restore.ts'
import { createLogins } from '../../src/db/roles.ts'
import { startThrowaway, type ThrowawayPostgres } from '../../src/local/postgres/start-throwaway.ts'
import { writeNastyRows } from '../backup/nasty-rows.ts'
import { APP, OWNER, urlFor, withSuper } from '../support/global-setup.ts'
import { findOther } from '../support/other-postgres.ts'
import { createTestDatabase, withConnection } from '../support/postgres.ts'
import { takeBackup, type TakenBackup } from '../support/taken-backups.ts'

/** Of the tables that a restore itself writes to. */
const CHANGED = new Set(['missions', 'facts', 'instances'])
const DATABASE = 'taskforce'

describe.each([15, 16, 17, 18])('a backup restored by our command into a server of Postgres %i', async (major) => {
  const binaries = await findOther(major)

  describe.skipIf(binaries === undefined)('is whole there, and', () => {
    let postgres: ThrowawayPostgres
    let backup: TakenBackup
    const url = (login: typeof OWNER) => urlFor(postgres.superUrl, login, DATABASE)

    beforeAll(async () => {
      const source = await createTestDatabase()
      await withConnection(source.ownerUrl, writeNastyRows)
      backup = await takeBackup(source.appUrl)
      await source.drop()
      postgres = await startThrowaway(binaries!)
      await withSuper(postgres.superUrl, (client) =>
        createLogins(client, { owner: OWNER, app: APP, database: DATABASE }),
      )
    }, 120_000)
    afterAll(() => postgres?.stop())

    it('has the schema of its sections and the rows of the backup', async () => {
      const { manifest } = backup
      const request = { manifest, chunks: backup.chunks(), replace: false, waitForLeasesMs: 300, effects: undefined }
      const report = await restore({ ...request, url: url(OWNER) })
      expect(report).toMatchObject({ drift: [], generation: 1, from: manifest.name })
      const same = manifest.contents.tables.filter(({ name }) => !CHANGED.has(name))
      const sums = await withConnection(url(OWNER), (client) => tableSums(client, same))
      expect(sums).toEqual(same.map(({ columns: _columns, ...sum }) => sum))
    })

    it('shows the API one tenant and no other', async () => {
      const rows = await withConnection(url(APP), async (client) => {
        await client.query(`begin; set local role taskforce_api`)
        await client.query(`select set_config('app.tenant', '00000000-0000-0000-0000-000000000000', true)`)
        return (await client.query('select from taskforce.missions')).rows
      })
      expect(rows).toEqual([])
    })

    it('is dumped there, and drilled with the app’s own rights', async () => {
      const again = await takeBackup(url(APP))
      expect(again.manifest.contents.drift).toEqual([])
      const report = await drill({ manifest: again.manifest, chunks: again.chunks(), adminUrl: url(APP) })
      // The odd rows are no journals that anything could fold.
      const failed = report.checks.filter(({ ok, name }) => !ok && !['gapless', 'journals', 'files'].includes(name))
      expect(failed).toEqual([])
    })
  })
})
