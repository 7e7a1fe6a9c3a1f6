import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BlobServiceClient } from '@azure/storage-blob'
import { v7 as uuidv7 } from 'uuid'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectEffects, createBlobEffects } from '../../src/engine/blob-effects.ts'
import type { Begin, Effects } from '../../src/engine/ports.ts'
import { startAzurite, type LocalAzurite } from '../../src/local/azurite/start-azurite.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'

let folder = ''
let azurite: LocalAzurite
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'taskforce-effects-'))
  azurite = await startAzurite({ dataDir: folder })
}, 90_000)
afterAll(async () => {
  await azurite.kill()
  await rm(folder, { recursive: true, force: true })
})

function ledger(connectionString = azurite.connectionString, withinMs?: number): Effects {
  return createBlobEffects(() => connectEffects({ kind: 'connection-string' }, connectionString), withinMs)
}

const begin = (over: Partial<Begin> = {}): Begin => {
  return { missionId: uuidv7(), key: '7.0', tool: 'post_webhook', instance: uuidv7(), ...over }
}
const never = new AbortController().signal

function through(url: string): string {
  return azurite.connectionString.replace(/BlobEndpoint=http:\/\/[^/]*/, `BlobEndpoint=${new URL(url).origin}`)
}

const container = () => BlobServiceClient.fromConnectionString(azurite.connectionString).getContainerClient('effects')

async function deafServer(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  server.unref()
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

describe('a claim', () => {
  it('is won by one of many who begin the same call, in processes that find no container yet', async () => {
    const call = begin()
    const begins = Array.from({ length: 8 }, () => ({ ...call, instance: uuidv7() }))
    const results = await Promise.all(begins.map((one) => ledger().claim(one, never)))
    const winner = begins[results.findIndex(({ kind }) => kind === 'claimed')]
    expect(results.filter(({ kind }) => kind === 'claimed')).toHaveLength(1)
    for (const result of results.filter(({ kind }) => kind === 'taken')) {
      expect(result).toMatchObject({ by: { instance: winner?.instance, tool: 'post_webhook' } })
    }
  })

  it('is for one call: the next call, and another mission, have their own', async () => {
    const effects = ledger()
    const call = begin()
    for (const one of [call, { ...call, key: '7.1' }, begin()])
      expect(await effects.claim(one, never)).toEqual({ kind: 'claimed' })
    expect(await effects.claim(call, never)).toMatchObject({ kind: 'taken' })
  })

  it('is a blob that names the mission and the call, for those who compare claims with journals', async () => {
    const call = begin({ key: '12.3' })
    await ledger().claim(call, never)
    const names: string[] = []
    for await (const { name } of container().listBlobsFlat({ prefix: `${call.missionId}/` })) names.push(name)
    expect(names).toEqual([`${call.missionId}/12.3`])
    const body = await container()
      .getBlobClient(names[0] ?? '')
      .downloadToBuffer()
    expect(JSON.parse(body.toString())).toMatchObject({ instance: call.instance, tool: 'post_webhook' })
  })

  it('whose answer was lost is still won, and no second attempt wins it', async () => {
    const proxy = await startTcpProxy(new URL(`http://127.0.0.1:${azurite.blobPort}`).href)
    const effects = ledger(through(proxy.url))
    const call = begin()
    const cut = proxy.cut('answer', (request) => request.includes(`PUT /devstoreaccount1/effects/${call.missionId}`))
    expect(await effects.claim(call, never)).toEqual({ kind: 'claimed' })
    await cut
    expect(await effects.claim(call, never)).toMatchObject({ kind: 'taken', by: { instance: call.instance } })
    await proxy.stop()
  })

  it('that stands there in a form that nobody knows is taken all the same', async () => {
    const call = begin()
    await ledger().claim(begin(), never)
    await container().uploadBlockBlob(`${call.missionId}/${call.key}`, 'claimed', 7)
    expect(await ledger().claim(call, never)).toEqual({ kind: 'taken', by: undefined })
  })

  it('makes its container anew where that was deleted', async () => {
    const effects = ledger()
    await effects.claim(begin(), never)
    await container().delete()
    expect(await effects.claim(begin(), never)).toEqual({ kind: 'claimed' })
  })
})

describe('a claim that cannot be made', () => {
  const refused = 'AccountKey=bm90IHRoZSBrZXk=;'
  const broken: [string, () => Promise<Effects>, object][] = [
    [
      'as nobody listens',
      async () => ledger(through('http://127.0.0.1:1'), 400),
      { message: expect.stringContaining('The storage does not answer') },
    ],
    [
      'as the server is deaf',
      async () => ledger(through(await deafServer()), 400),
      { message: expect.stringContaining('The storage does not answer (not in time)') },
    ],
    [
      'as the key is wrong',
      async () => ledger(azurite.connectionString.replace(/AccountKey=[^;]*;/, refused)),
      {
        message: expect.stringContaining('refuses it'),
        hint: expect.stringContaining('Storage Blob Data Contributor'),
      },
    ],
    [
      'as the connection string is none',
      async () => ledger('hunter2'),
      { message: expect.stringContaining('no blob service'), hint: expect.stringContaining('JOBS_STORAGE') },
    ],
    [
      'as no blob service is named',
      async () => {
        const identity = { kind: 'identity', queueServiceUri: 'https://q.example', clientId: undefined } as const
        return createBlobEffects(() => connectEffects({ ...identity, blobServiceUri: undefined }, undefined))
      },
      { hint: 'Set JOBS_STORAGE__blobServiceUri.' },
    ],
  ]
  it.each(broken)('%s says so, and that nothing was done', async (_, make, expected) => {
    const effects = await make()
    const error: unknown = await effects.claim(begin(), never).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'effects_unavailable', ...expected })
    expect(String(error)).toContain('Nothing was done')
    expect(String(error)).not.toMatch(/hunter2|devstoreaccount1|bm90/)
  })

  it('works when the storage is back', async () => {
    let there = false
    const effects = createBlobEffects(async () => {
      if (!there) throw new Error('not yet')
      return connectEffects({ kind: 'connection-string' }, azurite.connectionString)
    })
    await expect(effects.claim(begin(), never)).rejects.toMatchObject({ code: 'effects_unavailable' })
    there = true
    expect(await effects.claim(begin(), never)).toEqual({ kind: 'claimed' })
  })

  it('ends with the reason of its signal where it is stopped', async () => {
    const effects = ledger(through(await deafServer()))
    const stop = new AbortController()
    const claimed = effects.claim(begin(), stop.signal)
    stop.abort(new Error('the lease is gone'))
    await expect(claimed).rejects.toThrow('the lease is gone')
  })
})
