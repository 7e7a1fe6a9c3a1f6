import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { startAzurite, type LocalAzurite } from '../../src/local/azurite/start-azurite.ts'
import { startFaultyStorage, type FaultyStorage } from '../support/faulty-storage.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'
import { azuriteContainer, azuriteStore } from '../backup/store/azurite-store.ts'
import { itIsABackupStore, namesIn, readAll, writeAll } from '../backup/store/conformance.ts'
import { randomBytesOf } from '../backup/store/random-file.ts'

const MIB = 1024 * 1024
const NAME = 'taskforce_backup_20261129_020000.sql.zst'

let folder = ''
let azurite: LocalAzurite
let storage: FaultyStorage
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'taskforce-blob-store-'))
  azurite = await startAzurite({ dataDir: join(folder, 'azurite') })
  storage = await startFaultyStorage(azurite.connectionString)
}, 90_000)
afterEach(() => {
  storage.fault = () => undefined
  storage.seen.length = 0
})
afterAll(async () => {
  await storage.stop()
  await azurite.kill()
  await rm(folder, { recursive: true, force: true })
})

const freshContainer = () => `backups-${randomUUID()}`

describe('a container', () => {
  itIsABackupStore(async () => {
    const container = freshContainer()
    const { connectionString } = azurite
    return { store: azuriteStore(connectionString, container), child: { connectionString, container } }
  })

  it('of more files than one page lists all of them', async () => {
    const name = freshContainer()
    const client = azuriteContainer(azurite.connectionString, name)
    await client.create()
    const names = Array.from({ length: 1_003 }, (_, index) => `file-${index}`)
    const rest = names.values()
    const lane = async () => {
      for (const file of rest) await client.uploadBlockBlob(file, 'x', 1)
    }
    await Promise.all([lane(), lane(), lane(), lane()])
    expect(await namesIn(azuriteStore(azurite.connectionString, name))).toEqual(names.sort())
  }, 60_000)

  it('is made anew where it was deleted', async () => {
    const name = freshContainer()
    const store = azuriteStore(azurite.connectionString, name)
    await store.put('a.zst', Buffer.from('a'))
    await azuriteContainer(azurite.connectionString, name).delete()
    expect(await store.list()).toEqual([])
    await store.put('a.zst', Buffer.from('a'))
    expect(await namesIn(store)).toEqual(['a.zst'])
  })

  it('keeps a blob that somebody has a lease on', async () => {
    const name = freshContainer()
    const store = azuriteStore(azurite.connectionString, name)
    await store.put(NAME, Buffer.from('leased'))
    const lease = azuriteContainer(azurite.connectionString, name).getBlobClient(NAME).getBlobLeaseClient()
    await lease.acquireLease(-1)
    expect(await store.list()).toMatchObject([{ held: true }])
    expect(await store.remove(NAME)).toBe('held')
    await lease.releaseLease()
    expect(await store.remove(NAME)).toBe('removed')
  })
})

/** A store by way of the faulty storage, and one past it. */
async function twoWays(patience = { tries: 4, firstPauseMs: 10, attemptMs: 5_000 }) {
  const container = freshContainer()
  const direct = azuriteStore(azurite.connectionString, container)
  await direct.put('other.txt', Buffer.from('other'))
  return { container, direct, store: azuriteStore(storage.connectionString, container, patience) }
}

/** Faults the first so many of the requests that fit. */
function firstTimes(
  times: number,
  fits: (method: string, url: URL) => boolean,
  fault: ReturnType<FaultyStorage['fault']>,
) {
  let left = times
  storage.fault = (method, url) => {
    if (!fits(method, url) || left === 0) return undefined
    left -= 1
    return fault
  }
}

const any = () => true
const isBlock = (method: string, url: URL) => method === 'PUT' && url.searchParams.get('comp') === 'block'
const isCommit = (method: string, url: URL) => method === 'PUT' && url.searchParams.get('comp') === 'blocklist'
const isRead = (method: string, url: URL) => method === 'GET' && url.pathname.endsWith('.zst')

describe('a storage that stumbles', () => {
  it.each([500, 503, 429, 408])('with %d three times is asked again, whatever is asked', async (status) => {
    const { store } = await twoWays()
    const bytes = randomBytesOf(9 * MIB)
    const stumble = () => firstTimes(3, any, { status, code: 'ServerBusy' })
    stumble()
    const file = await store.begin(NAME)
    await file.write(bytes)
    stumble()
    await file.commit()
    stumble()
    expect((await readAll(store, NAME)).equals(bytes)).toBe(true)
    stumble()
    expect(await store.list()).toHaveLength(2)
    stumble()
    await store.hold(NAME, true)
    stumble()
    expect(await store.remove(NAME)).toBe('held')
    stumble()
    expect(await store.now()).toBeInstanceOf(Date)
  })

  it.each([
    ['every block', isBlock],
    ['every commit', isCommit],
  ])('at %s leaves nothing to be seen, and says so', async (_, fits) => {
    const { store, direct } = await twoWays()
    storage.fault = (method, url) => (fits(method, url) ? { status: 503, code: 'ServerBusy' } : undefined)
    const error: unknown = await writeAll(store, NAME, randomBytesOf(41 * MIB)).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'store_unavailable', message: expect.stringContaining('ServerBusy') })
    expect(await namesIn(direct)).toEqual(['other.txt'])
  })

  it('that does not answer is given up after the attempts there are', async () => {
    const { store } = await twoWays({ tries: 2, firstPauseMs: 1, attemptMs: 100 })
    storage.fault = () => 'deaf'
    const unavailable = { code: 'store_unavailable', message: expect.stringContaining('not in time') }
    await expect(store.list()).rejects.toMatchObject(unavailable)
    await expect(store.now()).rejects.toMatchObject(unavailable)
    await expect(store.put(NAME, Buffer.from('x'))).rejects.toMatchObject(unavailable)
    await expect(readAll(store, NAME)).rejects.toMatchObject(unavailable)
    await expect(store.remove(NAME)).rejects.toMatchObject(unavailable)
    await expect(store.hold(NAME, true)).rejects.toMatchObject(unavailable)
  })

  it('that hangs once is asked again in time', async () => {
    const { store } = await twoWays({ tries: 4, firstPauseMs: 1, attemptMs: 4_000 })
    firstTimes(1, isBlock, 'deaf')
    const bytes = randomBytesOf(9 * MIB)
    await writeAll(store, NAME, bytes)
    firstTimes(1, isRead, 'deaf')
    expect((await readAll(store, NAME)).equals(bytes)).toBe(true)
  })

  it('that refuses says what to give', async () => {
    const { store } = await twoWays()
    storage.fault = () => ({ status: 403, code: 'AuthorizationPermissionMismatch' })
    const refused = { code: 'store_refused', hint: expect.stringContaining('Storage Blob Data Contributor') }
    await expect(store.put(NAME, Buffer.from('x'))).rejects.toMatchObject(refused)
    await expect(store.list()).rejects.toMatchObject(refused)
    expect(storage.seen.filter(({ method }) => method === 'GET')).toHaveLength(1)
  })

  it('that lost a block refuses the commit, and shows nothing', async () => {
    const { store, direct } = await twoWays()
    storage.fault = (method, url) => (isBlock(method, url) ? { status: 201 } : undefined)
    const refused = { code: 'store_refused', message: expect.stringContaining('InvalidBlockList') }
    await expect(writeAll(store, NAME, randomBytesOf(9 * MIB))).rejects.toMatchObject(refused)
    expect(await namesIn(direct)).toEqual(['other.txt'])
  })
})

describe('a commit whose answer is lost', () => {
  it.each(['answer', 'request'] as const)('(cut at the %s) is still ours, and no second one is made', async (what) => {
    const container = freshContainer()
    const proxy = await startTcpProxy(`http://127.0.0.1:${azurite.blobPort}`)
    const through = azurite.connectionString.replace(
      /BlobEndpoint=http:\/\/[^/]*/,
      `BlobEndpoint=${new URL(proxy.url).origin}`,
    )
    const store = azuriteStore(through, container)
    const cut = proxy.cut(what, (request) =>
      request.includes(`PUT /devstoreaccount1/${container}/${NAME}?comp=blocklist`),
    )
    const bytes = randomBytesOf(9 * MIB)
    await writeAll(store, NAME, bytes)
    await cut
    expect((await readAll(store, NAME)).equals(bytes)).toBe(true)
    await expect(writeAll(store, NAME, bytes)).rejects.toMatchObject({ code: 'backup_exists' })
    await proxy.stop()
  })

  it('for good is taken back by giving up, and only our own', async () => {
    const { store, direct, container } = await twoWays({ tries: 2, firstPauseMs: 1, attemptMs: 2_000 })
    const file = await store.begin(NAME)
    await file.write(Buffer.from('mine'))
    // The commit is done, but nobody learns of it: its answers are lost, and the question whose blob it is goes unanswered.
    storage.fault = (method, url) => {
      if (isCommit(method, url)) return { cutAfter: 0, how: 'reset' }
      return method === 'HEAD' ? { status: 503 } : undefined
    }
    await expect(file.commit()).rejects.toMatchObject({
      code: expect.stringMatching(/store_unavailable|backup_exists/),
    })
    expect(await namesIn(direct)).toContain(NAME)
    storage.fault = () => undefined
    await file.abort()
    expect(await namesIn(direct)).toEqual(['other.txt'])

    await direct.put(NAME, Buffer.from('of another run'))
    const late = await azuriteStore(storage.connectionString, container).begin(NAME)
    await late.write(Buffer.from('mine'))
    await expect(late.commit()).rejects.toMatchObject({ code: 'backup_exists' })
    await late.abort()
    expect((await readAll(direct, NAME)).toString()).toBe('of another run')
  })
})

describe('a read', () => {
  it.each(['reset', 'early end'] as const)('that breaks off (%s) goes on where it broke off', async (how) => {
    const { store, direct } = await twoWays()
    const bytes = randomBytesOf(9 * MIB)
    await writeAll(direct, NAME, bytes)
    firstTimes(3, isRead, { cutAfter: 700_000, how })
    expect((await readAll(store, NAME)).equals(bytes)).toBe(true)
    const starts = storage.seen
      .filter(({ method }) => method === 'GET')
      .map(({ range }) => /\d+/.exec(range ?? '')?.[0])
    expect(starts).toContain('700000')
  })

  it.each(['reset', 'early end'] as const)(
    'that breaks off again and again (%s) is an error, and no early end',
    async (how) => {
      const { store, direct } = await twoWays()
      await writeAll(direct, NAME, randomBytesOf(9 * MIB))
      storage.fault = (method, url) => (isRead(method, url) ? { cutAfter: 100_000, how } : undefined)
      await expect(readAll(store, NAME)).rejects.toMatchObject({ code: 'store_unavailable' })
    },
  )

  it('through a proxy that cuts its connection goes on', async () => {
    const { direct, container } = await twoWays()
    const bytes = randomBytesOf(20 * MIB)
    await writeAll(direct, NAME, bytes)
    const proxy = await startTcpProxy(`http://127.0.0.1:${azurite.blobPort}`)
    const through = azurite.connectionString.replace(
      /BlobEndpoint=http:\/\/[^/]*/,
      `BlobEndpoint=${new URL(proxy.url).origin}`,
    )
    const cut = proxy.cut('answer', (request) => request.includes(`GET /devstoreaccount1/${container}/${NAME}`))
    expect((await readAll(azuriteStore(through, container), NAME)).equals(bytes)).toBe(true)
    await cut
    await proxy.stop()
  })

  it('of a blob that becomes another one in the middle is an error', async () => {
    const { store, direct, container } = await twoWays()
    await writeAll(direct, NAME, Buffer.alloc(20 * MIB, 'a'))
    const read = async () => {
      let first = true
      for await (const _ of store.read(NAME)) {
        const other = Buffer.alloc(20 * MIB, 'b')
        if (first)
          await azuriteContainer(azurite.connectionString, container).uploadBlockBlob(NAME, other, other.length)
        first = false
      }
    }
    await expect(read()).rejects.toMatchObject({ code: 'backup_damaged' })
  })
})

describe('what Azurite does not have', () => {
  it.each([
    'BlobImmutableDueToPolicy',
    'BlobImmutableDueToLegalHold',
    'BlobNotDeletableDueToLegalHold',
    'ContainerImmutabilityPolicyInEffect',
  ])('a removal that is answered 409 %s leaves the blob held', async (code) => {
    const { store, direct } = await twoWays()
    await direct.put(NAME, Buffer.from('worm'))
    storage.fault = (method) => (method === 'DELETE' ? { status: 409, code } : undefined)
    expect(await store.remove(NAME)).toBe('held')
  })

  it('any other 409 is an error', async () => {
    const { store, direct } = await twoWays()
    await direct.put(NAME, Buffer.from('x'))
    storage.fault = (method) =>
      method === 'DELETE' ? { status: 409, code: 'OperationNotAllowedInCurrentState' } : undefined
    await expect(store.remove(NAME)).rejects.toMatchObject({ code: 'store_refused' })
  })

  it('a removal whose answer was lost is a removal', async () => {
    const { store, direct } = await twoWays()
    await direct.put(NAME, Buffer.from('x'))
    firstTimes(1, (method) => method === 'DELETE', { cutAfter: 0, how: 'reset' })
    const proxied = store.remove(NAME)
    expect(await proxied).toBe('removed')
    expect(await namesIn(direct)).toEqual(['other.txt'])
  })

  it('legal holds and policies in a list are holds, and policies that ran out are none', async () => {
    const { store } = await twoWays()
    const blob = (name: string, properties: string) =>
      `<Blob><Name>${name}</Name><Properties><Creation-Time>Sun, 29 Nov 2026 02:00:00 GMT</Creation-Time><Last-Modified>Sun, 29 Nov 2026 09:00:00 GMT</Last-Modified><Etag>1</Etag><Content-Length>7</Content-Length><BlobType>BlockBlob</BlobType>${properties}</Properties></Blob>`
    const until = (date: string) => `<ImmutabilityPolicyUntilDate>${date}</ImmutabilityPolicyUntilDate>`
    const blobs = [
      blob('legal', '<LegalHold>true</LegalHold>'),
      blob('released', '<LegalHold>false</LegalHold>'),
      blob('policy', until('Mon, 30 Nov 2026 00:00:00 GMT')),
      blob('expired', until('Sat, 28 Nov 2026 00:00:00 GMT')),
    ]
    const body = `<?xml version="1.0"?><EnumerationResults ServiceEndpoint="http://x/" ContainerName="x"><Blobs>${blobs.join('')}</Blobs><NextMarker/></EnumerationResults>`
    storage.fault = () => ({ status: 200, headers: { date: 'Sun, 29 Nov 2026 12:00:00 GMT' }, body })
    const listed = await store.list()
    expect(listed.map(({ name, held }) => [name, held])).toEqual([
      ['legal', true],
      ['released', false],
      ['policy', true],
      ['expired', false],
    ])
    expect(listed[0]).toMatchObject({ bytes: 7, modifiedAt: new Date('2026-11-29T02:00:00Z') })
    const asked = storage.seen.at(-1)?.url.searchParams.get('include')
    expect(asked).toContain('legalhold')
    expect(asked).toContain('immutabilitypolicy')
    expect(await store.now()).toEqual(new Date('2026-11-29T12:00:00Z'))
  })

  it('a legal hold is asked for first, and then there is no mark of our own', async () => {
    const { store, direct } = await twoWays()
    await direct.put(NAME, Buffer.from('x'))
    const isLegalHold = (url: URL) => url.searchParams.get('comp') === 'legalhold'
    storage.fault = (_, url) => (isLegalHold(url) ? { status: 200, headers: { 'x-ms-legal-hold': 'true' } } : undefined)
    await store.hold(NAME, true)
    expect(storage.seen.map(({ url }) => url.searchParams.get('comp'))).toEqual(['legalhold'])
    expect((await direct.list()).every(({ held }) => !held)).toBe(true)
  })

  it('a hold where nothing may be changed is refused as unsupported', async () => {
    const { store, direct } = await twoWays()
    await direct.put(NAME, Buffer.from('x'))
    storage.fault = (method) => (method === 'PUT' ? { status: 409, code: 'BlobImmutableDueToPolicy' } : undefined)
    await expect(store.hold(NAME, true)).rejects.toMatchObject({ code: 'hold_unsupported' })
  })
})
