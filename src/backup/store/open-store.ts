import type { ContainerClient } from '@azure/storage-blob'
import type { Config, Secrets, StorageConfig } from '../../config/config.ts'
import { entraCredential } from '../../config/entra-credential.ts'
import { keepsSecrets } from '../../config/keeps-secrets.ts'
import { TerminalError } from '../../domain/errors.ts'
import { createBlobStore } from './blob-store.ts'
import { createFolderStore } from './folder-store.ts'
import type { BackupStore } from './store.ts'

/** The stores repeat requests themselves, and know which of them may have been done already. */
const ONCE = { retryOptions: { maxTries: 1 } }

/**
 * Connects to nothing yet; what is wrong with the settings shows at the first use, as TerminalError `store_refused`.
 * `offsite` is absent where no second container is configured.
 */
export function openStores(config: Config, secrets: Secrets): { main: BackupStore; offsite: BackupStore | undefined } {
  const { backup } = config
  const storage = withClientId(config.storage, backup.clientId)
  const { folder } = backup
  const connectMain = () => connectAccount(storage, secrets.storageConnectionString, backup.container)
  const url = secrets.offsiteUrl
  return {
    main:
      folder === undefined
        ? createBlobStore(connectMain, placeOf(storage, secrets.storageConnectionString, backup.container))
        : createFolderStore(folder),
    offsite:
      url === undefined
        ? undefined
        : createBlobStore(() => connectUrl(url, storage), withoutQuery(url), { setting: 'BACKUP_OFFSITE_URL' }),
  }
}

/** Backups have an identity of their own where one is named, so that the one that serves missions needs no right to them. */
function withClientId(storage: StorageConfig, clientId: string | undefined): StorageConfig {
  return storage.kind === 'identity' && clientId !== undefined ? { ...storage, clientId } : storage
}

async function connectAccount(
  storage: StorageConfig,
  connectionString: string | undefined,
  container: string,
): Promise<ContainerClient> {
  const { BlobServiceClient } = await import('@azure/storage-blob')
  if (storage.kind === 'connection-string') {
    try {
      return BlobServiceClient.fromConnectionString(connectionString ?? '', ONCE).getContainerClient(container)
    } catch {
      throw badSetting('JOBS_STORAGE is no connection string with a blob service.', 'Correct JOBS_STORAGE.')
    }
  }
  if (storage.blobServiceUri === undefined)
    throw badSetting('The settings name no blob service for backups.', 'Set JOBS_STORAGE__blobServiceUri.')
  const credential = await entraCredential(storage.clientId)
  return new BlobServiceClient(storage.blobServiceUri, credential, ONCE).getContainerClient(container)
}

/** A container by its address: with a signature in it, or else as the identity that reaches backups. */
async function connectUrl(url: string, storage: StorageConfig): Promise<ContainerClient> {
  if (!keepsSecrets(url))
    throw badSetting('BACKUP_OFFSITE_URL is not encrypted on its way.', 'Let it begin with https://.')
  const { ContainerClient: Client } = await import('@azure/storage-blob')
  if (new URL(url).pathname.length < 2)
    throw badSetting('BACKUP_OFFSITE_URL names no container.', 'Give https://ACCOUNT.blob.core.windows.net/CONTAINER.')
  if (new URL(url).searchParams.has('sig')) return new Client(url, undefined, ONCE)
  const clientId = storage.kind === 'identity' ? storage.clientId : undefined
  return new Client(url, await entraCredential(clientId), ONCE)
}

function badSetting(message: string, hint: string): TerminalError {
  return new TerminalError('store_refused', message, { hint })
}

/** From the parts of a connection string that are no secret. */
function placeOf(storage: StorageConfig, connectionString: string | undefined, container: string): string {
  if (storage.kind === 'identity')
    return `${withoutSlash(withoutQuery(storage.blobServiceUri ?? storage.queueServiceUri))}/${container}`
  const parts = new Map((connectionString ?? '').split(';').map(nameAndValue))
  const account = parts.get('AccountName')
  const fallback =
    account === undefined ? '' : `https://${account}.blob.${parts.get('EndpointSuffix') ?? 'core.windows.net'}`
  return `${withoutSlash(withoutQuery(parts.get('BlobEndpoint') ?? fallback))}/${container}`
}

function nameAndValue(part: string): [string, string] {
  const [name = '', ...value] = part.split('=')
  return [name.trim(), value.join('=').trim()]
}

function withoutQuery(url: string): string {
  return url.split(/[?#]/)[0] ?? ''
}

function withoutSlash(url: string): string {
  return url.replace(/\/$/, '')
}
