import type { Client } from 'pg'
import { expect, onTestFinished, test } from 'vitest'
import { createDatabases } from '../../src/db/connection.ts'
import { checkDatabase } from '../../src/db/migrate/check.ts'
import { withClient } from '../../src/db/migrate/connect.ts'
import { migrateDown } from '../../src/db/migrate/down.ts'
import { readHistory } from '../../src/db/migrate/status.ts'
import { migrateUp } from '../../src/db/migrate/up.ts'
import { OWNER } from '../support/global-setup.ts'
import { aDatabase, CURRENT, later, migrationsWith } from './migrate-folder.ts'

/** The address as it is with Entra ID: a user and no password, which a function gives at each connection. */
function withToken(url: string): { url: string; connect: { password: () => Promise<string> }; asked: () => number } {
  const address = new URL(url)
  address.password = ''
  let asked = 0
  const password = async () => {
    asked += 1
    return OWNER.password
  }
  return { url: address.href, connect: { password }, asked: () => asked }
}

const currentUser = async (client: Client) =>
  (await client.query<{ user: string }>('select current_user::text as user')).rows[0]?.user

test('a connection asks for its password, and a wrong one is refused', async () => {
  const { ownerUrl } = await aDatabase()
  const { url, connect } = withToken(ownerUrl)
  expect(await withClient(url, currentUser, connect)).toBe(OWNER.name)
  const refused = withClient(url, currentUser, { password: async () => 'wrong' })
  await expect(refused).rejects.toMatchObject({ code: 'database_refused' })
})

test.each([undefined, 'transaction'] as const)('so do the pools of the app (pooler: %s)', async (pooler) => {
  const { appUrl } = await aDatabase()
  const { url, connect, asked } = withToken(appUrl)
  const databases = createDatabases({ url, pooler, ...connect, onError: () => undefined })
  onTestFinished(() => databases.close())
  await databases.api.query('select 1')
  await databases.engine.query('select 1')
  expect(asked()).toBe(2)
})

test('migrations, with every connection of their own, and what looks at them', async () => {
  const dir = await migrationsWith({
    [`${later('index')}.up.sql`]:
      '-- minCode: 1\n-- no-transaction\ncreate index concurrently i on taskforce.events (type);\n',
    [`${later('index')}.down.sql`]: '-- no-transaction\ndrop index concurrently taskforce.i;\n',
  })
  const { ownerUrl } = await aDatabase({ migrated: false })
  const { url, connect, asked } = withToken(ownerUrl)
  expect(await migrateUp(url, { dir, connect })).toMatchObject({ revision: CURRENT.revision + 1 })
  // Its own connection, and the one on which roles are prepared.
  expect(asked()).toBeGreaterThanOrEqual(2)
  expect(await migrateDown(url, { dir, connect, goal: { steps: 1 } })).toMatchObject({ revision: CURRENT.revision })
  expect(await checkDatabase(url, { connect })).toEqual({ ...CURRENT, drift: [] })
  expect(await readHistory(url, { connect })).toMatchObject({ revision: CURRENT.revision })
})
