import { Client } from 'pg'
import { afterAll, beforeAll, expect, inject, it, vi } from 'vitest'
import { drill } from '../../src/backup/restore/drill.ts'
import { createScratchDatabase, type ScratchDatabase } from '../../src/backup/restore/scratch-database.ts'
import { createLogins } from '../../src/db/roles.ts'
import { OWNER, urlFor, withSuper } from '../support/global-setup.ts'
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts'
import { takeBackup } from '../support/taken-backups.ts'

vi.setConfig({ testTimeout: 120_000 })

/** An app's login of this test alone, since others drill at the same time. */
const DRILLER = { name: 'taskforce_app_of_scratches', password: 'taskforce' }

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.drop())

/** A session that the app's login may not end, as an autovacuum worker's is. */
async function visit({ name }: { name: string }): Promise<Client> {
  const url = new URL(inject('databaseSuperUrl'))
  url.pathname = `/${name}`
  const visitor = new Client({ connectionString: url.href })
  visitor.on('error', () => undefined)
  await visitor.connect()
  return visitor
}

const isThere = ({ name }: { name: string }) =>
  withSuper(inject('databaseSuperUrl'), async (client) => {
    return (await client.query('select from pg_database where datname = $1', [name])).rowCount === 1
  })

it('a scratch database is dropped though a stranger is in it for a while', async () => {
  const scratch: ScratchDatabase = await createScratchDatabase(database.appUrl)
  const visitor = await visit(scratch)
  const dropped = scratch.drop()
  await new Promise((resolve) => setTimeout(resolve, 500))
  await visitor.end()
  expect(await dropped).toBeUndefined()
  expect(await isThere(scratch)).toBe(false)
})

it('sessions of the login itself, such as a killed drill leaves, keep nothing', async () => {
  const scratch = await createScratchDatabase(database.appUrl)
  const left = new Client({ connectionString: scratch.url })
  left.on('error', () => undefined)
  await left.connect()
  expect(await scratch.drop()).toBeUndefined()
  expect(await isThere(scratch)).toBe(false)
  await left.end().catch(() => undefined)
})

it('a drill whose scratch database stays says so, and is no good one', async () => {
  const { manifest, chunks } = await takeBackup(database.appUrl)
  const superUrl = inject('databaseSuperUrl')
  await withSuper(superUrl, (client) => createLogins(client, { owner: OWNER, app: DRILLER, database: database.name }))
  let visitor: Client | undefined
  let name = ''
  async function* visited(): AsyncGenerator<Buffer> {
    await withSuper(superUrl, async (client) => {
      const { rows } = await client.query<{ datname: string }>(
        `select datname from pg_database where datdba = '${DRILLER.name}'::regrole`,
      )
      name = rows[0]?.datname ?? ''
    })
    visitor = await visit({ name })
    yield* chunks()
  }
  const adminUrl = urlFor(superUrl, DRILLER, database.name)
  const report = await drill({ manifest, chunks: visited(), adminUrl })
  const failed = report.checks.filter(({ ok }) => !ok)
  expect([report.ok, failed]).toEqual([
    false,
    [{ name: 'dropped', ok: false, detail: expect.stringContaining(`${name} is still there`) }],
  ])
  await visitor?.end()
  await withSuper(superUrl, (client) => client.query(`drop database "${name}" with (force)`))
})
