import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { planRestore } from '../../src/backup/restore/plan-restore.ts'
import { isRestoreRefusal } from '../../src/backup/restore/refusals.ts'
import { restore, type RestoreRequest, type Stage } from '../../src/backup/restore/restore.ts'
import { tableSums } from '../../src/backup/dump/table-sums.ts'
import { readDrain, setDrain } from '../../src/db/queries/drain.ts'
import { checkDatabase } from '../../src/db/migrate/check.ts'
import { CODE_REVISION } from '../../src/db/schema-revision.ts'
import { digestOf, takeBackup, type TakenBackup } from '../support/taken-backups.ts'
import { callTools, createWorld, say, script, tool, type World } from '../support/engine.ts'
import { createTestDatabase, withConnection, type TestDatabase } from '../support/postgres.ts'

let world: World
let backup: TakenBackup
let target: TestDatabase
let ended = ''
let waiting = ''

beforeAll(async () => {
  world = await createWorld([tool('look', () => 'seen')])
  const files = [{ name: 'a.txt', bytes: Buffer.from('line\\.\n\\.\n\0\xff') }]
  ended = await world.create('Odd \\. words\n\\.\n"quoted" \t and \u{1F600}', { files })
  await world.engine({ model: script(callTools(['look']), say('Done')) }).run()
  waiting = await world.create('Ask me')
  await world.engine({ model: script(callTools(['ask_user', { question: 'Which?' }])) }).run()
  await world.create('Later')
  backup = await takeBackup(world.database.appUrl)
})
afterAll(() => world.stop())
afterEach(() => target.drop())

async function into(database: TestDatabase, over: Partial<RestoreRequest> = {}) {
  const { manifest } = backup
  const request = { manifest, chunks: backup.chunks(), replace: false, waitForLeasesMs: 300, effects: undefined }
  return restore({ ...request, url: database.ownerUrl, ...over })
}

const query = async <T extends object>(url: string, sql: string): Promise<T[]> =>
  withConnection(url, async (client) => (await client.query<T>(sql)).rows)

/** Of the tables that a restore itself writes to: what it changed there stands in other tests. */
const CHANGED = new Set(['missions', 'facts', 'instances'])

describe('a restore', () => {
  it('into an empty database gives all rows, the schema, its rights and a new generation', async () => {
    target = await createTestDatabase({ migrated: false })
    const stages: Stage[] = []
    const progress: number[] = []
    const report = await into(target, {
      onStage: (stage) => stages.push(stage),
      onProgress: (read, total) => progress.push(read / total),
    })
    const { manifest } = backup
    const all = manifest.contents.tables.reduce((sum, table) => sum + table.rows, 0)
    expect(report).toMatchObject({ from: manifest.name, rows: all, revisionBefore: 0, revisionAfter: CODE_REVISION })
    expect(report).toMatchObject({ drift: [], previous: [], generation: 1, unknownEffects: 0 })
    expect(report.into).toMatch(new RegExp(`^127\\.0\\.0\\.1:\\d+/${target.name}$`))
    expect(stages).toEqual(['stop', 'lock', 'load', 'generation', 'effects', 'commit', 'migrate', 'analyze'])
    expect(progress.at(-1)).toBe(1)
    const same = manifest.contents.tables.filter(({ name }) => !CHANGED.has(name))
    await withConnection(target.ownerUrl, async (client) => {
      expect(await tableSums(client, same)).toEqual(
        same.map(({ name, rows, bytes, sha256 }) => ({ name, rows, bytes, sha256 })),
      )
      expect(await readDrain(client)).toBeUndefined()
    })
    const tables = `select from pg_stat_user_tables where schemaname = 'taskforce'`
    expect(await query(target.ownerUrl, `${tables} and last_analyze is null`)).toEqual([])
    expect((await checkDatabase(target.ownerUrl)).drift).toEqual([])
  })

  it('signs in with a token where the address has no password', async () => {
    target = await createTestDatabase()
    const url = new URL(target.ownerUrl)
    const { password } = url
    url.password = ''
    const connect = { password: async () => password }
    const plan = await planRestore({ manifest: backup.manifest, url: url.href, connect })
    expect(plan).toMatchObject({ isEmpty: true })
    const report = await into(target, { url: url.href, connect, replace: true })
    expect(report).toMatchObject({ revisionAfter: CODE_REVISION, drift: [] })
  })

  it('lets each tenant see its own rows only, as before', async () => {
    target = await createTestDatabase({ migrated: false })
    await into(target)
    const count = (tenant: string) =>
      withConnection(target.appUrl, async (client) => {
        await client.query(`begin; set local role taskforce_api; set local app.tenant = '${tenant}'`)
        return (await client.query<{ n: number }>('select count(*)::int as n from taskforce.missions')).rows[0]?.n
      })
    expect(await count(world.caller.tenantId)).toBe(3)
    expect(await count('00000000-0000-7000-8000-0000000000bb')).toBe(0)
    const stranger = query(target.appUrl, 'set role taskforce_api; select from taskforce.missions')
    await expect(stranger).rejects.toThrow('app.tenant')
    await expect(query(target.appUrl, 'delete from taskforce.missions')).rejects.toThrow('permission denied')
  })

  it('into a database that was only migrated needs no word, and keeps what was there', async () => {
    target = await createTestDatabase()
    const plan = await planRestore({ manifest: backup.manifest, url: target.ownerUrl })
    expect(plan).toMatchObject({ isEmpty: true, revisionBefore: CODE_REVISION, liveLeases: [], verified: true })
    const report = await into(target)
    const [{ schema, dropSql } = { schema: '', dropSql: '' }] = report.previous
    expect(schema).toMatch(/^taskforce_before_\d{8}_\d{6}$/)
    expect(dropSql).toBe(`drop schema "${schema}" cascade;`)
    await query(target.ownerUrl, dropSql)
  })

  it('over missions is refused without "replace", and moves them away with it', async () => {
    target = await createTestDatabase()
    await into(target)
    await query(target.ownerUrl, `update taskforce.missions set goal = 'changed'`)
    const before = await digestOf(target.ownerUrl)
    const refused: unknown = await into(target).catch((error: unknown) => error)
    expect(refused).toMatchObject({ code: 'target_not_empty', hint: expect.stringContaining('--replace') })
    expect(isRestoreRefusal(refused)).toBe(true)
    expect(await digestOf(target.ownerUrl)).toEqual(before)
    const report = await into(target, { replace: true })
    expect(report).toMatchObject({ generation: 2, previous: [{}, {}] })
    const goals = (schema: string) => query(target.ownerUrl, `select from ${schema}.missions where goal = 'changed'`)
    expect(await goals('taskforce')).toHaveLength(0)
    expect(await goals(report.previous[1]?.schema ?? '')).toHaveLength(3)
  })

  it('goes on with the deployment’s own history, its deleted tenants and a drain that somebody set', async () => {
    target = await createTestDatabase()
    await into(target)
    await query(
      target.ownerUrl,
      `insert into taskforce.upkeep (id, kind, started_at, ok, report) values (gen_random_uuid(), 'drill', now(), true, '{"n": 1}');
       update taskforce.tenants set deleted_at = '2026-11-29T02:00:00Z'`,
    )
    await withConnection(target.appUrl, (client) => setDrain(client, { by: 'ada', reason: 'moving' }))
    await into(target, { replace: true })
    expect(await query(target.ownerUrl, `select report, kind from taskforce.upkeep where kind = 'drill'`)).toHaveLength(
      1,
    )
    expect(await query(target.ownerUrl, 'select from taskforce.tenants where deleted_at is null')).toHaveLength(0)
    const drain = await withConnection(target.appUrl, readDrain)
    expect(drain).toMatchObject({ by: 'ada', until: undefined })
  })

  it('of a backup that was taken in a drain does not drain for ever', async () => {
    await withConnection(world.database.appUrl, (client) => setDrain(client, { by: 'ada', reason: 'moving' }))
    const drained = await takeBackup(world.database.appUrl)
    await query(world.database.ownerUrl, `delete from taskforce.facts where name = 'drain'`)
    target = await createTestDatabase({ migrated: false })
    await into(target, { manifest: drained.manifest, chunks: drained.chunks() })
    expect(await withConnection(target.appUrl, readDrain)).toBeUndefined()
  })

  it('makes what was going on void, leaves the rest as it was, and lets what could move move', async () => {
    await query(
      world.database.ownerUrl,
      `update taskforce.missions set owner = gen_random_uuid(), status = 'running' where goal = 'Later'`,
    )
    const taken = await takeBackup(world.database.appUrl)
    target = await createTestDatabase({ migrated: false })
    await into(target, { manifest: taken.manifest, chunks: taken.chunks() })
    const rows = await query<{ id: string }>(
      target.ownerUrl,
      `select id, status, owner, epoch >= 1000000 as above, wake_at <= now() as due from taskforce.missions order by created_at`,
    )
    expect(rows).toMatchObject([
      { id: ended, status: 'completed', owner: null, above: true, due: null },
      { id: waiting, status: 'waiting', owner: null, above: true, due: false },
      { status: 'running', owner: null, above: true, due: true },
    ])
    expect(await query(target.ownerUrl, 'select from taskforce.instances')).toHaveLength(0)
  })

  it('that fails after its commit says that nothing has to be restored again', async () => {
    target = await createTestDatabase({ migrated: false })
    const onStage = (stage: Stage) => {
      if (stage === 'migrate') throw new Error('the disk is full')
    }
    await expect(into(target, { onStage })).rejects.toMatchObject({
      code: 'restore_unfinished',
      message: expect.stringContaining('the disk is full'),
      hint: expect.stringContaining('migrate -- up'),
    })
    expect(await query(target.ownerUrl, 'select from taskforce.missions')).toHaveLength(3)
    expect((await withConnection(target.appUrl, readDrain))?.until).toBeInstanceOf(Date)
  })
})
