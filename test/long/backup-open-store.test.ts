import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { ContainerSASPermissions } from '@azure/storage-blob'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openStores } from '../../src/backup/store/open-store.ts'
import type { BackupStore } from '../../src/backup/store/store.ts'
import { loadConfig } from '../../src/config/load-config.ts'
import { startAzurite, type LocalAzurite } from '../../src/local/azurite/start-azurite.ts'
import { startFaultyStorage } from '../support/faulty-storage.ts'
import { azuriteContainer } from '../backup/store/azurite-store.ts'
import { namesIn, readAll, writeAll } from '../backup/store/conformance.ts'
import { randomBytesOf } from '../backup/store/random-file.ts'

let folder = ''
let azurite: LocalAzurite
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'taskforce-open-store-'))
  azurite = await startAzurite({ dataDir: join(folder, 'azurite') })
}, 90_000)
afterAll(async () => {
  await azurite.kill()
  await rm(folder, { recursive: true, force: true })
})

function open(settings: Record<string, string>): ReturnType<typeof openStores> {
  const loaded = loadConfig({ DATABASE_URL: 'postgres://localhost/x', TASKFORCE_API_KEY: 'k'.repeat(40), ...settings })
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems))
  return openStores(loaded.config, loaded.secrets)
}

/** The address of a container with a signature in it. */
async function signedUrl(permissions: string, container = `offsite-${randomUUID()}`): Promise<string> {
  const client = azuriteContainer(azurite.connectionString, container)
  await client.createIfNotExists()
  return client.generateSasUrl({
    permissions: ContainerSASPermissions.parse(permissions),
    expiresOn: new Date(Date.now() + 3_600_000),
  })
}

function defined<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('undefined')
  return value
}

describe('the stores of the settings', () => {
  it('are a container of the account, and none offsite', async () => {
    const { main, offsite } = open({ JOBS_STORAGE: azurite.connectionString, BACKUP_CONTAINER: 'nightly' })
    expect(offsite).toBeUndefined()
    expect(main.place).toBe(`http://127.0.0.1:${azurite.blobPort}/devstoreaccount1/nightly`)
    await main.put('a.zst', Buffer.from('a'))
    expect(await namesIn(main)).toEqual(['a.zst'])
  })

  it('offsite, with a signature, do all that a store does', async () => {
    const url = await signedUrl('racwdl')
    const { offsite } = open({ JOBS_STORAGE: azurite.connectionString, BACKUP_OFFSITE_URL: url })
    const store = defined(offsite)
    expect(store.place).toBe(url.split('?')[0])
    const bytes = randomBytesOf(9_000_000)
    await writeAll(store, 'a.zst', bytes)
    expect((await readAll(store, 'a.zst')).equals(bytes)).toBe(true)
    await expect(store.put('a.zst', bytes)).rejects.toMatchObject({ code: 'backup_exists' })
    expect(await store.now()).toBeInstanceOf(Date)
    expect(await store.remove('a.zst')).toBe('removed')
  })

  it('offsite, with a signature that may not remove, say which right is missing', async () => {
    const url = await signedUrl('rcwl')
    const { offsite } = open({ JOBS_STORAGE: azurite.connectionString, BACKUP_OFFSITE_URL: url })
    const store = defined(offsite)
    await store.put('a.zst', Buffer.from('a'))
    await expect(store.remove('a.zst')).rejects.toMatchObject({
      code: 'store_refused',
      hint: expect.stringMatching(/BACKUP_OFFSITE_URL.*d where old backups/),
    })
    await expect(store.put('a.zst', Buffer.from('b'))).rejects.toMatchObject({ code: 'backup_exists' })
    expect((await readAll(store, 'a.zst')).toString()).toBe('a')
  })

  it.each([
    ['JOBS_STORAGE', { JOBS_STORAGE: 'AccountName=a;AccountKey=hunter2' }, /JOBS_STORAGE/],
    [
      'JOBS_STORAGE__blobServiceUri',
      { JOBS_STORAGE__queueServiceUri: 'https://queues.example' },
      /JOBS_STORAGE__blobServiceUri/,
    ],
  ])('that can’t be made of %s say so at their first use', async (_, settings, hint) => {
    const { main } = open(settings)
    await expect(main.list()).rejects.toMatchObject({ code: 'store_refused', hint: expect.stringMatching(hint) })
  })

  it.each([
    ['http://account.blob.core.windows.net/backups?sig=canary', /encrypted/],
    ['https://account.blob.core.windows.net/?sig=canary', /names no container/],
  ])('offsite at %s are refused', async (url, message) => {
    const { offsite } = open({ JOBS_STORAGE: azurite.connectionString, BACKUP_OFFSITE_URL: url })
    const refused = { code: 'store_refused', message: expect.stringMatching(message) }
    await expect(defined(offsite).list()).rejects.toMatchObject(refused)
  })

  it('name the account of a connection string or of an identity', async () => {
    const key = 'AccountKey=a2V5'
    const names = open({
      JOBS_STORAGE: `DefaultEndpointsProtocol=https;AccountName=acc;${key};EndpointSuffix=core.x`,
    })
    expect(names.main.place).toBe('https://acc.blob.core.x/backups')
    const identity = open({
      JOBS_STORAGE__queueServiceUri: 'https://acc.queue.core.windows.net',
      JOBS_STORAGE__blobServiceUri: 'https://acc.blob.core.windows.net/',
    })
    expect(identity.main.place).toBe('https://acc.blob.core.windows.net/backups')
  })

  it('of a local environment are a folder in its data', async () => {
    const store = open({ JOBS_STORAGE: 'UseDevelopmentStorage=true', BACKUP_FOLDER: join(folder, 'backups') }).main
    await store.put('a.zst', Buffer.from('a'))
    expect(store.place).toBe(join(folder, 'backups'))
    expect(await namesIn(store)).toEqual(['a.zst'])
  })
})

describe('no error shows', () => {
  const KEY = Buffer.from('canary-of-the-account-key').toString('base64')
  const SIGNATURE = 'canary-of-the-signature'

  /** Everything that a store throws, in all the ways in which it could come to be seen. */
  async function errorsOf(store: BackupStore, most: number): Promise<string[]> {
    const name = 'taskforce_backup_20261129_020000.sql.zst'
    const calls = [
      () => store.list(),
      () => store.now(),
      () => store.put(name, Buffer.from('x')),
      () => readAll(store, name),
      () => store.remove(name),
      () => store.hold(name, true),
    ]
    const shown: string[] = []
    for (const call of calls.slice(0, most)) {
      const error: unknown = await call().catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ code: expect.stringMatching(/^store_/) })
      shown.push(String(error), JSON.stringify(error), inspect(error, { depth: Infinity, showHidden: true }))
    }
    return [...shown, store.place, inspect(store, { depth: Infinity, showHidden: true })]
  }

  it.each(['refused', 'an answer that is none', 'nobody there'])(
    'a key or a signature: %s',
    async (how) => {
      const faulty = await startFaultyStorage(azurite.connectionString)
      if (how === 'an answer that is none') faulty.fault = () => ({ status: 400, body: '<html>' })
      if (how === 'nobody there') await faulty.stop()
      const url = `${faulty.origin}/devstoreaccount1/offsite?sv=2025-01-05&se=2027-01-01T00%3A00%3A00Z&sr=c&sp=racwdl&sig=${SIGNATURE}`
      const { main, offsite } = open({
        JOBS_STORAGE: faulty.connectionString.replace(/AccountKey=[^;]*/, `AccountKey=${KEY}`),
        BACKUP_OFFSITE_URL: url,
      })
      // Nobody there is asked for 9 s each time.
      const most = how === 'nobody there' ? 1 : 6
      const [shownMain, shownOffsite] = await Promise.all([errorsOf(main, most), errorsOf(defined(offsite), most)])
      for (const text of [...shownMain, ...shownOffsite]) expect(text).not.toMatch(/canary|Y2FuYXJ5|sig=|SharedKey/)
      expect(shownOffsite.some((text) => text.includes(`${faulty.origin}/devstoreaccount1/offsite`))).toBe(true)
      if (how !== 'nobody there') await faulty.stop()
    },
    150_000,
  )
})
