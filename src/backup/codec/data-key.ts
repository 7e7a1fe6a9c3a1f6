import { randomBytes } from 'node:crypto'
import type { TokenCredential } from '@azure/identity'
import type { CryptographyClient, CryptographyClientOptions } from '@azure/keyvault-keys'
import { entraCredential } from '../../config/entra-credential.ts'
import { keepsSecrets } from '../../config/keeps-secrets.ts'
import { untilAborted } from '../../models/deadlines.ts'
import type { Encryption } from '../manifest.ts'
import { keyError, keyUnavailable } from './key-errors.ts'

const WRAP = 'RSA-OAEP-256'
const KEY_BYTES = 32
/** The SDK's own three retries included. */
const WITHIN_MS = 60_000

export interface KeyVaultOptions {
  /** Absent: the identity of this deployment. */
  credential?: TokenCredential
  client?: CryptographyClientOptions
  withinMs?: number
}

export interface CreatedDataKey {
  /** 32 bytes, for one file; never stored or shown. */
  dataKey: Buffer
  wrapped: Pick<Encryption, 'keyId' | 'wrapAlgorithm' | 'wrappedKey'>
}

/**
 * A new key for one backup, wrapped by the current version of a key in Key Vault, and unwrapped again: a right to wrap
 * alone would make backups that nobody can open. Throws TerminalError `key_unavailable` whatever is wrong.
 * @param keyUrl `https://NAME.vault.azure.net/keys/KEY`, with a version or without
 */
export async function createDataKey(keyUrl: string, options: KeyVaultOptions = {}): Promise<CreatedDataKey> {
  return orUnavailable(keyUrl, options, async (credential, abortSignal) => {
    const { KeyClient } = await import('@azure/keyvault-keys')
    const { vaultUrl, name, version } = partsOf(keyUrl)
    const found = await new KeyClient(vaultUrl, credential, options.client).getKey(name, { version, abortSignal })
    if (found.id === undefined) throw new Error('Key Vault names no version of the key')
    const vault = await openVault(found.id, credential, options)
    const dataKey = randomBytes(KEY_BYTES)
    const { result } = await vault.wrapKey(WRAP, dataKey, { abortSignal })
    const opened = await vault.unwrapKey(WRAP, result, { abortSignal })
    if (!dataKey.equals(opened.result)) throw new Error('Key Vault unwraps another key than it has wrapped')
    const wrappedKey = Buffer.from(result).toString('base64')
    return { dataKey, wrapped: { keyId: found.id, wrapAlgorithm: WRAP, wrappedKey } }
  })
}

/** The key that a backup was encrypted with, by what its manifest says. Throws TerminalError `key_unavailable` whatever is wrong. */
export async function openDataKey(encryption: Encryption, options: KeyVaultOptions = {}): Promise<Buffer> {
  const { keyId, wrapAlgorithm, wrappedKey } = encryption
  return orUnavailable(keyId, options, async (credential, abortSignal) => {
    const vault = await openVault(keyId, credential, options)
    const { result } = await vault.unwrapKey(wrapAlgorithm, Buffer.from(wrappedKey, 'base64'), { abortSignal })
    if (result.length !== KEY_BYTES) throw new Error('Key Vault unwraps no key of ours')
    return Buffer.from(result)
  })
}

async function orUnavailable<T>(
  keyUrl: string,
  { credential, withinMs = WITHIN_MS }: KeyVaultOptions,
  work: (credential: TokenCredential, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const signal = AbortSignal.timeout(withinMs)
  const run = async () => {
    // Before any token is asked for: the address of a manifest is as good as who can write to the store.
    if (!keepsSecrets(keyUrl))
      throw keyError(`The key's address ${keyUrl} is not encrypted on its way`, 'It begins with https://.')
    return work(credential ?? (await entraCredential()), signal)
  }
  try {
    return await untilAborted(run(), signal)
  } catch (error) {
    throw keyUnavailable(keyUrl, error)
  }
}

async function openVault(
  keyId: string,
  credential: TokenCredential,
  { client }: KeyVaultOptions,
): Promise<CryptographyClient> {
  const { CryptographyClient: Client } = await import('@azure/keyvault-keys')
  return new Client(keyId, credential, client)
}

function partsOf(keyUrl: string): { vaultUrl: string; name: string; version: string | undefined } {
  const { origin, pathname } = new URL(keyUrl)
  const [, name, version] = /^\/keys\/([\w-]+)(?:\/(\w+))?\/?$/.exec(pathname) ?? []
  if (name === undefined)
    throw keyError(`${keyUrl} is no address of a key`, 'Set BACKUP_KEY_URL to https://NAME.vault.azure.net/keys/KEY.')
  return { vaultUrl: origin, name, version }
}
