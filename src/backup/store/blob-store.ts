import type { ContainerClient } from '@azure/storage-blob'
import { isNoContainer } from './blob-errors.ts'
import { holdBlob, isItemHeld, removeBlob } from './blob-hold.ts'
import { readBlob } from './blob-read.ts'
import { beginUpload } from './blob-upload.ts'
import { accessContainer, DEFAULT_PATIENCE, type ContainerAccess, type Patience } from './container-access.ts'
import { checkFileName } from './store-errors.ts'
import type { BackupStore, StoredFile } from './store.ts'

const PAGE_ITEMS = 1000

export interface BlobStoreOptions {
  /** The setting that names the account, for hints. */
  setting?: string
  patience?: Partial<Patience>
}

/**
 * Backups in a blob container, which is made when something is first written to it.
 * @param connect to a container whose client does not repeat requests by itself: `patience` does
 * @param place for people, without a signature
 */
export function createBlobStore(
  connect: () => Promise<ContainerClient>,
  place: string,
  { setting = 'JOBS_STORAGE', patience }: BlobStoreOptions = {},
): BackupStore {
  const access = accessContainer(connect, place, setting, { ...DEFAULT_PATIENCE, ...patience })
  async function begin(name: string) {
    checkFileName(name)
    return beginUpload(access, name)
  }
  return {
    place,
    list: () => listBlobs(access),
    now: () => readClock(access),
    begin,
    async put(name, bytes) {
      const file = await begin(name)
      try {
        await file.write(bytes)
        await file.commit()
      } finally {
        await file.abort()
      }
    },
    async *read(name) {
      checkFileName(name)
      yield* readBlob(access, name)
    },
    async remove(name) {
      checkFileName(name)
      return removeBlob(access, name)
    },
    async hold(name, on) {
      checkFileName(name)
      await holdBlob(access, name, on)
    },
  }
}

async function listBlobs(access: ContainerAccess): Promise<StoredFile[]> {
  const files: StoredFile[] = []
  let continuationToken: string | undefined
  try {
    do {
      const page = await readPage(access, PAGE_ITEMS, continuationToken)
      const now = page.date ?? new Date()
      for (const item of page.segment.blobItems) {
        const { contentLength, createdOn, lastModified } = item.properties
        // A hold of ours changes the blob's metadata, and with it its last modification; nothing changes when it was made.
        const modifiedAt = createdOn ?? lastModified
        files.push({ name: item.name, bytes: contentLength ?? 0, modifiedAt, held: isItemHeld(item, now) })
      }
      continuationToken = page.continuationToken
    } while (continuationToken !== undefined && continuationToken !== '')
  } catch (error) {
    if (isNoContainer(error)) return []
    throw access.explain(error)
  }
  return files
}

/** The date that the storage puts on its answers, to the second. Of a list, as a signature may not ask for the container itself. */
async function readClock(access: ContainerAccess): Promise<Date> {
  try {
    const { date } = await access.askToWrite((container, signal) => onePage(container, signal, 1))
    if (date === undefined) throw new Error('The storage does not say what time it is')
    return date
  } catch (error) {
    throw access.explain(error)
  }
}

function readPage(access: ContainerAccess, items: number, continuationToken: string | undefined) {
  return access.ask((container, signal) => onePage(container, signal, items, continuationToken))
}

async function onePage(
  container: ContainerClient,
  abortSignal: AbortSignal,
  maxPageSize: number,
  continuationToken?: string,
) {
  const include = { includeMetadata: true, includeLegalHold: true, includeImmutabilityPolicy: true }
  const pages = container.listBlobsFlat({ ...include, abortSignal }).byPage({ maxPageSize, continuationToken })
  for await (const page of pages) return page
  throw new Error('The storage answers a list with nothing')
}
