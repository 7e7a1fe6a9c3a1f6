import { zstdCompressSync, zstdDecompressSync, constants } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Manifest } from '../../src/backup/manifest.ts'
import { isRestoreRefusal } from '../../src/backup/restore/refusals.ts'
import { restore, type RestoreRequest } from '../../src/backup/restore/restore.ts'
import { readDrain, setDrain } from '../../src/db/queries/drain.ts'
import { CODE_REVISION } from '../../src/db/schema-revision.ts'
import { digestOf, manifestFor, takeBackup, type TakenBackup } from '../support/taken-backups.ts'
import { createWorld, say, script, type World } from '../support/engine.ts'
import { createTestDatabase, withConnection, type TestDatabase } from '../support/postgres.ts'

let world: World
let backup: TakenBackup
let target: TestDatabase
let before: object

beforeAll(async () => {
  world = await createWorld()
  for (const goal of ['First', 'Second', 'Third']) await world.create(goal)
  await world.engine({ model: script(say('Done '.repeat(2_000))) }).run()
  backup = await takeBackup(world.database.appUrl)
  target = await createTestDatabase()
  await restoreInto()
  before = await digestOf(target.ownerUrl)
})
afterAll(async () => {
  await target.drop()
  await world.stop()
})

async function restoreInto(over: Partial<RestoreRequest> = {}) {
  const { manifest } = backup
  const request = { manifest, chunks: backup.chunks(), replace: true, waitForLeasesMs: 300, effects: undefined }
  return restore({ ...request, url: target.ownerUrl, ...over })
}

/** What it is refused for; the target is as it was then, and does not drain. */
async function refused(over: Partial<RestoreRequest>): Promise<unknown> {
  const error: unknown = await restoreInto(over).catch((thrown: unknown) => thrown)
  expect(await digestOf(target.ownerUrl)).toEqual(before)
  expect(await withConnection(target.appUrl, readDrain)).toBeUndefined()
  return error
}

/** The backup with another plain text, and a manifest that says that its file is what was written. */
function withText(change: (plain: string) => string): Partial<RestoreRequest> {
  const plain = zstdDecompressSync(backup.stored).toString('latin1')
  const changed = change(plain)
  expect(changed).not.toBe(plain)
  const stored = zstdCompressSync(Buffer.from(changed, 'latin1'), { params: { [constants.ZSTD_c_checksumFlag]: 1 } })
  return { manifest: manifestFor(backup.manifest, stored), chunks: backup.chunks(stored) }
}

const contents = (over: Partial<Manifest['contents']>): Partial<RestoreRequest> => {
  return { manifest: { ...backup.manifest, contents: { ...backup.manifest.contents, ...over } } }
}

describe('a restore is refused', () => {
  it('without a manifest, and tells how to go on', async () => {
    const error = await refused({ manifest: undefined })
    expect(error).toMatchObject({ code: 'manifest_missing', hint: expect.stringContaining('psql') })
    expect(isRestoreRefusal(error)).toBe(true)
  })

  it.each([
    ['needs newer code', { minCode: CODE_REVISION + 1, revision: CODE_REVISION + 1 }],
    ['is of a revision that this build does not know', { revision: CODE_REVISION + 1 }],
  ])('where its schema %s', async (_, over) => {
    const error = await refused(contents(over))
    expect(error).toMatchObject({ code: 'schema_too_new', hint: expect.stringContaining('newer one') })
    expect(isRestoreRefusal(error)).toBe(true)
  })

  const at = (fraction: number) => Math.floor(backup.stored.length * fraction)
  it.each([0.01, 0.3, 0.6, 0.9, 0.999])('for a bit that flipped at %d of the file', async (fraction) => {
    const stored = Buffer.from(backup.stored)
    stored[at(fraction)] = (stored[at(fraction)] ?? 0) ^ 0x10
    const error = await refused({ chunks: backup.chunks(stored) })
    expect(error).toMatchObject({ code: 'backup_damaged' })
    expect(isRestoreRefusal(error)).toBe(true)
  })

  it.each([0, 0.5, 0.99])('for a file that was cut off at %d', async (fraction) => {
    const error = await refused({ chunks: backup.chunks(backup.stored.subarray(0, at(fraction))) })
    expect(error).toMatchObject({ code: expect.stringMatching(/^backup_(damaged|unreadable)$/) })
  })

  it('for a file of another backup', async () => {
    await world.create('Later')
    const other = await takeBackup(world.database.appUrl)
    expect(await refused({ chunks: other.chunks() })).toMatchObject({ code: 'backup_differs' })
  })

  it('for a row that is another one, also where the file says so itself', async () => {
    expect(await refused(withText((text) => text.replace('\tFirst\t', '\tLast!\t')))).toMatchObject({
      code: 'backup_differs',
      message: expect.stringContaining('missions'),
    })
  })

  it('for another schema around the same rows', async () => {
    const { chunks } = withText((text) => text.replace('INDEX missions_labels', 'INDEX missions_lapels'))
    expect(await refused({ chunks })).toMatchObject({ code: 'backup_damaged' })
  })

  it('for a row that the database refuses, and says so', async () => {
    const error = await refused(withText((text) => text.replace('"Done', '"Do\\x00')))
    expect(error).toMatchObject({ code: expect.stringMatching(/^(restore_failed|backup_differs)$/) })
  })

  it('for a statement that the database refuses, and names it', async () => {
    const error = await refused(
      withText((text) => text.replace('ADD CONSTRAINT missions_pkey', 'ADD CONSTRAINT missions+pkey')),
    )
    expect(error).toMatchObject({ code: 'restore_failed', message: expect.stringContaining('syntax error') })
  })

  it.each(['COMMIT;', 'begin;', 'ROLLBACK TO SAVEPOINT x;', 'end;'])(
    'for "%s" among its statements',
    async (statement) => {
      const error = await refused(
        withText((text) => text.replace('CREATE SCHEMA taskforce;', `CREATE SCHEMA taskforce;\n${statement}`)),
      )
      expect(error).toMatchObject({ code: 'backup_damaged', message: expect.stringContaining(statement.slice(0, 3)) })
    },
  )

  it('where a sequence is not where it was', async () => {
    const sequences = [{ name: 'missions', lastValue: '7', isCalled: true }]
    expect(await refused(contents({ sequences }))).toMatchObject({ code: 'restore_failed' })
  })

  it('where the store fails in the middle', async () => {
    async function* failing() {
      yield backup.stored.subarray(0, 5_000)
      throw new Error('the store is away')
    }
    expect(await refused({ chunks: failing() })).toMatchObject({ message: 'the store is away' })
  })

  it('where its connection is ended in the middle, and says that it is all there or nothing', async () => {
    async function* cutOff() {
      yield backup.stored.subarray(0, backup.stored.length >> 1)
      const end = `select pg_terminate_backend(pid) from pg_stat_activity
        where application_name = 'taskforce-migrate' and datname = current_database()`
      await withConnection(target.ownerUrl, (other) => other.query(end))
      yield backup.stored.subarray(backup.stored.length >> 1)
    }
    expect(await refused({ chunks: cutOff() })).toMatchObject({ code: 'restore_cut_off' })
  })

  it('where claims of calls that act once can’t be read', async () => {
    const away = new Error('away')
    const effects = {
      // eslint-disable-next-line require-yield
      async *pages() {
        throw away
      },
      by: async () => undefined,
    }
    expect(await refused({ effects })).toBe(away)
  })

  it('where somebody holds a lock for too long, and names who', async () => {
    await withConnection(target.ownerUrl, async (other) => {
      await other.query('begin; select from taskforce.missions for update')
      const error = await refused({ lockTimeoutMs: 100 })
      expect(error).toMatchObject({ code: 'restore_locked', hint: expect.stringContaining('pg_terminate_backend') })
    })
  })

  it('by a login that may not give anything to the owner', async () => {
    const error = await refused({ url: target.appUrl })
    expect(error).toMatchObject({
      code: 'migrate_not_allowed',
      message: expect.stringContaining('grant taskforce_owner'),
    })
  })

  it('where a row is dropped by a rule of its own schema', async () => {
    const rule = `create function taskforce.none() returns trigger language plpgsql as 'begin return null; end';
      create trigger none before insert on taskforce.missions for each row execute function taskforce.none();\n`
    const mark = '-- taskforce:data {"table":"contents"'
    const error = await refused(withText((text) => text.replace(mark, `${rule}${mark}`)))
    expect(error).toMatchObject({ code: 'backup_damaged', message: expect.stringContaining('0 rows of missions') })
  })

  it('and leaves a drain alone that somebody else has set', async () => {
    await withConnection(target.appUrl, (client) => setDrain(client, { by: 'ada', reason: 'moving' }))
    await expect(restoreInto({ chunks: backup.chunks(Buffer.alloc(0)) })).rejects.toMatchObject({
      code: expect.stringMatching(/^backup_/),
    })
    expect(await withConnection(target.appUrl, readDrain)).toMatchObject({ by: 'ada' })
    await withConnection(target.ownerUrl, (client) => client.query(`delete from taskforce.facts where name = 'drain'`))
  })
})
