import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createDatabases, type ConnectionSettings } from '../../src/db/connection.ts'
import { inTenant } from '../../src/db/in-tenant.ts'
import { claimMissions } from '../../src/db/queries/claim-mission.ts'
import { beat, pollControl } from '../../src/db/queries/instances.ts'
import { DEFAULT_TENANT } from '../../src/missions/context.ts'
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts'

const instance = '00000000-0000-7000-8000-0000000000aa'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.drop())

/** Runs the engine's named statements on one connection, and gives the names that the server has kept. */
async function namesLeft(pooler: ConnectionSettings['pooler']): Promise<string[]> {
  const databases = createDatabases({ url: database.appUrl, pooler, onError: () => undefined })
  databases.engine.options.max = 1
  try {
    await beat(databases.engine, { id: instance, version: '0', host: 'test' }, 60)
    await claimMissions(databases.engine, instance, 1)
    expect(await pollControl(databases.engine, instance)).toEqual({ owned: [], orphans: 0, draining: false })
    await inTenant(databases.api, DEFAULT_TENANT, (tx) => tx.query({ name: 'in_a_transaction', text: 'select 1' }))
    const pools = [databases.engine, databases.api]
    const left = await Promise.all(
      pools.map((pool) => pool.query<{ name: string }>('select name from pg_prepared_statements')),
    )
    return left.flatMap(({ rows }) => rows.map(({ name }) => name)).sort()
  } finally {
    await databases.close()
  }
}

describe('statements', () => {
  it('keep their names on a direct connection, so that each is planned once', async () => {
    expect(await namesLeft(undefined)).toEqual(['claim_missions', 'control_poll', 'in_a_transaction', 'instance_beat'])
  })

  it('have no names behind a pooler that hands out connections by the transaction', async () => {
    expect(await namesLeft('transaction')).toEqual([])
  })
})
