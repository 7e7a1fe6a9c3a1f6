import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import type { Isolation } from '../../src/backup/dump/session.ts'
import { verifyPlain } from '../../src/backup/plain/verify-plain.ts'
import { createTestDatabase, withConnection, type TestDatabase } from '../support/postgres.ts'
import { dumpTo, inEmptyDatabase, restoreWithPsql } from '../support/plain-backup.ts'
import { inconsistencies, insertMissions, startWriters } from '../backup/missions-rows.ts'

const WRITERS = 8
const MISSIONS = 200

describe('a dump while missions run', () => {
  let database: TestDatabase

  beforeEach(async () => {
    database = await createTestDatabase()
  })
  afterEach(() => database.drop())

  it('is one moment: every journal is as long as its mission says, and has no gap', async () => {
    const { wrong, events } = await dumpUnderWriters('repeatable read')
    expect(events).toBeGreaterThan(MISSIONS)
    expect(wrong).toEqual([])
  })

  it('would be of several moments under READ COMMITTED, and this test would see it', async () => {
    const { wrong } = await dumpUnderWriters('read committed')
    expect(wrong.length).toBeGreaterThan(0)
  })

  async function dumpUnderWriters(isolation: Isolation): Promise<{ wrong: string[]; events: number }> {
    const missions = await insertMissions(database.ownerUrl, MISSIONS)
    const writers = await startWriters(database.appUrl, missions, WRITERS)
    const chunks: Buffer[] = []
    try {
      await writers.more(MISSIONS * 2)
      const contents = await dumpTo(
        database.appUrl,
        async (chunk) => {
          chunks.push(chunk)
          // So that whatever is read next would be of a later moment, were it not for the snapshot.
          if (chunk.includes('-- taskforce:data ')) await writers.more(MISSIONS)
        },
        { isolation },
      )
      await verifyPlain(inOrder(chunks), contents)
    } finally {
      await writers.stop()
    }
    expect(await inconsistencies(database.ownerUrl)).toEqual([])
    return inEmptyDatabase(inject('databaseSuperUrl'), async (copy) => {
      await restoreWithPsql(copy, Buffer.concat(chunks))
      const events = await withConnection(copy, (client) => client.query('select from taskforce.events'))
      return { wrong: await inconsistencies(copy), events: events.rowCount ?? 0 }
    })
  }
})

async function* inOrder(chunks: readonly Buffer[]): AsyncGenerator<Buffer> {
  yield* chunks
}
