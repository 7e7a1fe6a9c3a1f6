import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { Client } from 'pg'
import { driftOf } from '../../src/backup/dump/drift.ts'
import { CODE_REVISION } from '../../src/db/schema-revision.ts'
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts'
import { SCHEMA_CHANGES } from '../backup/schema-changes.ts'

/** Each change is taken back with its transaction, so that one database serves all. */
describe('the fingerprint of the schema', () => {
  let database: TestDatabase
  let client: Client

  beforeAll(async () => {
    database = await createTestDatabase()
    const url = new URL(inject('databaseSuperUrl'))
    url.pathname = `/${database.name}`
    client = new Client({ connectionString: url.href })
    await client.connect()
  })
  afterAll(async () => {
    await client.end()
    await database.drop()
  })

  it('of a migrated database is the one of its sections', async () => {
    expect(await inChanged('', () => driftOf(client, CODE_REVISION))).toEqual([])
  })

  it.each(Object.entries(SCHEMA_CHANGES))('shows %s', async (_, statements) => {
    const [before, change] = typeof statements === 'string' ? ['', statements] : statements
    const [was, is] = await inChanged(before, async () => {
      const drift = await driftOf(client, CODE_REVISION)
      await client.query(change)
      return [drift, await driftOf(client, CODE_REVISION)] as const
    })
    expect(is).not.toEqual(was)
  })

  it('says what is lacking and what nobody knows, both sides of one change together', async () => {
    const change = `alter table taskforce.missions alter column status set default 'queued'`
    expect(await inChanged(change, () => driftOf(client, CODE_REVISION))).toEqual([
      '- column missions.status text not null',
      `+ column missions.status text not null default 'queued'::text`,
    ])
  })

  async function inChanged<T>(change: string, look: () => Promise<T>): Promise<T> {
    await client.query(`begin; set local search_path = ''; ${change}`)
    try {
      return await look()
    } finally {
      await client.query('rollback')
    }
  }
})
