import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { restore } from '../../src/backup/restore/restore.ts'
import { checkDatabase } from '../../src/db/migrate/check.ts'
import { migrateUp } from '../../src/db/migrate/up.ts'
import { CODE_REVISION } from '../../src/db/schema-revision.ts'
import { resumeMission } from '../../src/missions/pause-mission.ts'
import { listedClaims, takeBackup } from '../support/taken-backups.ts'
import { createWorld, type World } from '../support/engine.ts'
import { createTestDatabase, withConnection } from '../support/postgres.ts'

let world: World
let told = ''
let runs = ''
beforeAll(async () => {
  world = await createWorld()
  told = await world.create('Told')
  runs = await world.create('Runs')
})
afterAll(() => world.stop())

const TABLES = ['profiles', 'missions', 'events']

/** What the world has, in a database of an older revision: columns that this one does not have are left out. */
async function ofRevision(revision: number) {
  const database = await createTestDatabase({ migrated: false })
  await migrateUp(database.ownerUrl, { to: revision })
  for (const table of TABLES) {
    const rows = await world.sql<{ row: object }>(`select to_jsonb(t) as row from taskforce.${table} t`)
    await withConnection(database.ownerUrl, async (client) => {
      for (const { row } of rows) {
        await client.query(
          `insert into taskforce.${table} select * from jsonb_populate_record(null::taskforce.${table}, $1)`,
          [JSON.stringify(row)],
        )
      }
    })
  }
  try {
    return await takeBackup(database.appUrl)
  } finally {
    await database.drop()
  }
}

describe('a backup of an older schema', () => {
  it.each(Array.from({ length: CODE_REVISION - 1 }, (_, index) => index + 1))(
    'of revision %d is brought to this one, with what its claims tell, and its missions go on to their end',
    async (revision) => {
      const { manifest, chunks } = await ofRevision(revision)
      expect(manifest.contents).toMatchObject({ revision, drift: [] })
      const effects = listedClaims([{ missionId: told, key: '3.0', madeAt: undefined }])
      const url = world.database.ownerUrl
      const report = await restore({ manifest, chunks: chunks(), url, replace: true, waitForLeasesMs: 500, effects })
      expect(report).toMatchObject({ revisionAfter: CODE_REVISION, unknownEffects: 1, drift: [] })
      expect((await checkDatabase(url)).drift).toEqual([])
      expect(await world.row(told)).toMatchObject({ status: 'paused' })
      expect(await world.engine().run()).toEqual(['ended'])
      await resumeMission(world.missions, world.caller, told, undefined)
      expect(await world.engine().run()).toEqual(['ended'])
      for (const id of [told, runs]) expect(await world.row(id)).toMatchObject({ status: 'completed' })
      await world.sql(report.previous.map(({ dropSql }) => dropSql).join('\n'))
      await restoreWorld()
    },
  )
})

/** Back to what the next revision starts from. */
async function restoreWorld(): Promise<void> {
  await world.sql(`delete from taskforce.events where seq > 1`)
  await world.sql(
    `update taskforce.missions set status = 'queued', epoch = 0, inbox = 0, wake_at = now(), started_at = null, ended_at = null,
       claimed_seq = 0, summary = '{}'`,
  )
}
