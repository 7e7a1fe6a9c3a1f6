import { Client } from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { createTestDatabase, withConnection, type TestDatabase } from '../support/postgres.ts'
import { startChaosProxy, type ChaosProxy } from './proxy.ts'

let database: TestDatabase
let proxy: ChaosProxy
let client: Client

beforeAll(async () => {
  database = await createTestDatabase({ migrated: false })
  await withConnection(database.ownerUrl, (owner) => owner.query('create table done (what text)'))
})

beforeEach(async () => {
  proxy = await startChaosProxy(Number(new URL(database.ownerUrl).port), () => 0)
  client = new Client({ connectionString: proxy.by(database.ownerUrl) })
  client.on('error', () => undefined)
  await client.connect()
})

afterEach(async () => {
  await client.end()
  await proxy.stop()
})

afterAll(() => database.drop())

async function isDone(what: string): Promise<boolean> {
  const { rows } = await withConnection(database.ownerUrl, (owner) =>
    owner.query('select from done where what = $1', [what]),
  )
  return rows.length === 1
}

const insert = (what: string) => client.query(`insert into done values ('${what}')`)

it('passes everything on', async () => {
  await insert('passed')
  expect(await isDone('passed')).toBe(true)
})

it.each(['answer', 'request'] as const)(
  'cuts a connection so that the work is done and nobody learns of it: %s',
  async (what) => {
    const cut = proxy.cut(what, [`'cut ${what}'`], 10_000)
    await expect(insert(`cut ${what}`)).rejects.toThrow(/ECONNRESET|terminated/)
    expect(await cut).toBe(true)
    await expect.poll(() => isDone(`cut ${what}`)).toBe(true)
  },
)

it('leaves connections alone that say something else', async () => {
  const cut = proxy.cut('answer', ['nobody says that'], 50)
  await insert('something else')
  expect(await cut).toBe(false)
})

it('lets nothing pass of a connection that hangs, and then all of it', async () => {
  proxy.hang('one', 1_500)
  const inserted = insert('late')
  expect(await isDone('late')).toBe(false)
  await inserted
  expect(await isDone('late')).toBe(true)
})

it('cuts what hangs for ever when it heals, and nothing was done', async () => {
  proxy.hang('one')
  const inserted = insert('never')
  proxy.heal()
  await expect(inserted).rejects.toThrow(/ECONNRESET|terminated/)
  expect(await isDone('never')).toBe(false)
})

it('keeps the order of what it slows down, also as it stops doing so', async () => {
  proxy.slowDown(20, 60)
  const { rows } = await client.query<{ n: number }>('select n from generate_series(1, 50000) n')
  expect(rows.map(({ n }) => n)).toEqual(Array.from({ length: 50_000 }, (_, index) => index + 1))
})
