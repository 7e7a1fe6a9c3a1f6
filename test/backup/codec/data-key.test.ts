import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  createDataKey,
  openDataKey,
  type CreatedDataKey,
  type KeyVaultOptions,
} from '../../../src/backup/codec/data-key.ts'
import { CHUNK_BYTES } from '../../../src/backup/codec/encrypt.ts'
import type { Encryption } from '../../../src/backup/manifest.ts'
import { startKeyVault, testCredential, type KeyVault } from '../../support/key-vault.ts'

let vault: KeyVault
let credential: ReturnType<typeof testCredential>
let options: KeyVaultOptions
beforeEach(async () => {
  vault = await startKeyVault()
  credential = testCredential()
  // The challenge is for vault.azure.net, and the server is not there.
  const client = {
    allowInsecureConnection: true,
    disableChallengeResourceVerification: true,
    retryOptions: { maxRetries: 0 },
  }
  options = { credential, client }
})
afterEach(() => vault.stop())

function encryptionOf({ wrapped }: CreatedDataKey): Encryption {
  return { algorithm: 'AES-256-GCM', chunkBytes: CHUNK_BYTES, ...wrapped }
}

describe('a data key', () => {
  it('is 32 random bytes, leaves only wrapped, and is opened by what the manifest says', async () => {
    const [one, other] = [await createDataKey(vault.keyUrl, options), await createDataKey(vault.keyUrl, options)]
    expect(one.dataKey).toHaveLength(32)
    expect(one.dataKey.equals(other.dataKey)).toBe(false)
    expect(one.wrapped.keyId).toMatch(/\/keys\/backup\/[0-9a-f]{32}$/)
    expect((await openDataKey(encryptionOf(one), options)).equals(one.dataKey)).toBe(true)
    expect(Buffer.from(one.wrapped.wrappedKey, 'base64')).toHaveLength(256)
    expect(credential.scopes).toContain('https://vault.azure.net/.default')
  })

  it('is opened by the version that wrapped it, also after the key was rotated', async () => {
    const old = await createDataKey(vault.keyUrl, options)
    vault.rotate()
    const young = await createDataKey(vault.keyUrl, options)
    expect(young.wrapped.keyId).not.toBe(old.wrapped.keyId)
    for (const one of [old, young])
      expect((await openDataKey(encryptionOf(one), options)).equals(one.dataKey)).toBe(true)
    const pinned = await createDataKey(old.wrapped.keyId, options)
    expect(pinned.wrapped.keyId).toBe(old.wrapped.keyId)
  })
})

describe('a key that can’t be used stops the run:', () => {
  /** The error, which shows neither a token nor a key. */
  async function failureOf(work: Promise<unknown>): Promise<unknown> {
    const error: unknown = await work.catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'key_unavailable', message: expect.stringContaining('Nothing was written') })
    const shown = `${String(error)} ${JSON.stringify(error)} ${inspect(error, { depth: Infinity, showHidden: true })}`
    expect(shown).not.toContain('token-of-the-test')
    for (const { body } of vault.seen) if (body) expect(shown).not.toContain(JSON.parse(body).value)
    return error
  }

  it.each([
    ['get', 403, 'Forbidden', /Key Vault Crypto Service Encryption User/],
    ['wrapkey', 403, 'ForbiddenByRbac', /Key Vault Crypto Service Encryption User/],
    ['unwrapkey', 403, 'Forbidden', /Key Vault Crypto Service Encryption User/],
    ['get', 404, 'KeyNotFound', /purge protection/],
    ['wrapkey', 409, 'ObjectIsBeingDeleted', /BACKUP_KEY_URL/],
    ['get', 500, 'InternalServerError', /BACKUP_KEY_URL/],
  ] as const)('%s is answered with %d %s', async (operation, status, code, hint) => {
    vault.refuse(operation, status, code)
    const error = await failureOf(createDataKey(vault.keyUrl, options))
    expect(error).toMatchObject({ hint: expect.stringMatching(hint) })
  })

  it('a right to wrap alone would make backups that nobody can open', async () => {
    vault.refuse('unwrapkey', 403, 'Forbidden')
    await failureOf(createDataKey(vault.keyUrl, options))
    expect(vault.seen.some(({ path }) => path.endsWith('/wrapkey'))).toBe(true)
  })

  it('nobody is there, or nobody answers', async () => {
    const sockets: Socket[] = []
    const deaf = createServer((socket) => void sockets.push(socket)).listen(0, '127.0.0.1')
    await once(deaf, 'listening')
    const { port } = deaf.address() as AddressInfo
    const error = await failureOf(createDataKey(`http://127.0.0.1:${port}/keys/backup`, { ...options, withinMs: 200 }))
    expect(error).toMatchObject({ message: expect.stringContaining('no answer in time') })
    deaf.close()
    for (const socket of sockets) socket.destroy()
    await once(deaf, 'close')
    await failureOf(createDataKey(`http://127.0.0.1:${port}/keys/backup`, options))
  })

  it('there is no such key, or the address is none', async () => {
    await failureOf(createDataKey(vault.keyUrl.replace('backup', 'other'), options))
    for (const url of ['http://vault.example/keys/backup', `${new URL(vault.keyUrl).origin}/secrets/backup`, 'none'])
      await failureOf(createDataKey(url, options))
    expect(vault.seen.every(({ path }) => path.startsWith('/keys/other'))).toBe(true)
  })

  it('Entra ID gives no token', async () => {
    const refused = Object.assign(new Error('tenant 1234'), { name: 'CredentialUnavailableError' })
    const noToken = { getToken: () => Promise.reject(refused) }
    const error = await failureOf(createDataKey(vault.keyUrl, { ...options, credential: noToken }))
    expect(error).toMatchObject({ message: expect.stringContaining('no token') })
    expect(String(error)).not.toContain('1234')
  })

  it('what a manifest holds was changed', async () => {
    const encryption = encryptionOf(await createDataKey(vault.keyUrl, options))
    const wrapped = Buffer.from(encryption.wrappedKey, 'base64')
    wrapped[100] = (wrapped[100] ?? 0) ^ 1
    await failureOf(openDataKey({ ...encryption, wrappedKey: wrapped.toString('base64') }, options))
    const otherVersion = encryption.keyId.replace(/[0-9a-f]{32}$/, 'f'.repeat(32))
    await failureOf(openDataKey({ ...encryption, keyId: otherVersion }, options))
    await failureOf(openDataKey({ ...encryption, keyId: 'http://vault.example/keys/backup/1' }, options))
    await failureOf(openDataKey({ ...encryption, keyId: 'nonsense' }, options))
    expect((await openDataKey(encryption, options)).length).toBe(32)
  })

  it('a server that wants a token for somebody else gets none', async () => {
    const client = { allowInsecureConnection: true, retryOptions: { maxRetries: 0 } }
    await failureOf(createDataKey(vault.keyUrl, { credential, client }))
    expect(credential.scopes).toEqual([])
    expect(vault.seen.every(({ authorization }) => authorization === undefined)).toBe(true)
  })
})
