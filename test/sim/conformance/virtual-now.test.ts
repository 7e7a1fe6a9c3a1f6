import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createDatabases, type Databases } from '../../../src/db/connection.ts'
import { inTenant } from '../../../src/db/in-tenant.ts'
import { DEFAULT_TENANT } from '../../../src/missions/context.ts'
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts'
import { useVirtualNow, type VirtualNow } from '../virtual-now.ts'

const START = Date.parse('2031-05-05T10:00:00.123Z')
const TIMES = 'select now(), clock_timestamp() as clock, extract(epoch from now()) * 1000 as ms'

let database: TestDatabase
let time: VirtualNow
let databases: Databases

beforeAll(async () => {
  database = await createTestDatabase()
  time = await useVirtualNow(database.ownerUrl)
  databases = createDatabases({ url: database.appUrl, pooler: undefined, onError: () => undefined })
})
afterAll(async () => {
  await databases.close()
  await time.close()
  await database.drop()
})

it('holds for the statements of the engine, and goes on only when it is told', async () => {
  const read = async () => (await databases.engine.query({ name: 'times', text: TIMES })).rows
  await time.setNow(START)
  expect(await read()).toEqual([{ now: new Date(START), clock: new Date(START), ms: `${START}.000000` }])
  await time.setNow(START + 1)
  expect(await read()).toMatchObject([{ now: new Date(START + 1), clock: new Date(START + 1) }])
})

it('stands still for a transaction of the API, but for its clock', async () => {
  await time.setNow(START)
  await inTenant(databases.api, DEFAULT_TENANT, async (tx) => {
    // The first answer: the transaction has begun by now.
    await tx.query(TIMES)
    await time.setNow(START + 1000)
    const { rows } = await tx.query(TIMES.replace('select', 'select current_user as who,'))
    expect(rows).toMatchObject([{ who: 'taskforce_api', now: new Date(START), clock: new Date(START + 1000) }])
  })
  await inTenant(databases.api, DEFAULT_TENANT, async (tx) => {
    expect((await tx.query(TIMES)).rows).toMatchObject([{ now: new Date(START + 1000) }])
  })
})

it('is what columns take by default', async () => {
  await time.setNow(START)
  const { rows } = await databases.engine.query(
    `insert into taskforce.instances (id, alive_until, version, host) values ($1, now(), '', '') returning started_at`,
    [randomUUID()],
  )
  expect(rows).toEqual([{ started_at: new Date(START) }])
})
