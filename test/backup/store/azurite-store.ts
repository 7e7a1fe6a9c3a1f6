import { BlobServiceClient, type ContainerClient } from '@azure/storage-blob'
import { createBlobStore, type BlobStoreOptions } from '../../../src/backup/store/blob-store.ts'
import type { BackupStore } from '../../../src/backup/store/store.ts'

/** As `openStores` connects. */
export function azuriteContainer(connectionString: string, container: string): ContainerClient {
  const once = { retryOptions: { maxTries: 1 } }
  return BlobServiceClient.fromConnectionString(connectionString, once).getContainerClient(container)
}

export function azuriteStore(
  connectionString: string,
  container: string,
  patience: BlobStoreOptions['patience'] = { firstPauseMs: 20 },
): BackupStore {
  const place = `http://127.0.0.1/devstoreaccount1/${container}`
  return createBlobStore(async () => azuriteContainer(connectionString, container), place, { patience })
}
