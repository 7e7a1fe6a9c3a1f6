/** One piece of a backup's life in a process of its own, so that its CPU and its peak of memory are of nothing else. */
import { createEncoder } from '../../src/backup/codec/encode.ts'
import { dump } from '../../src/backup/dump/dump.ts'
import type { Manifest } from '../../src/backup/manifest.ts'
import { readBack } from '../../src/backup/read-back.ts'
import { restore } from '../../src/backup/restore/restore.ts'
import { createBlobStore } from '../../src/backup/store/blob-store.ts'
import { createFolderStore } from '../../src/backup/store/folder-store.ts'
import type { BackupStore } from '../../src/backup/store/store.ts'
import { withClient } from '../../src/db/migrate/connect.ts'
import type { Job, Outcome, Place, Spent } from './backup-jobs.ts'

const CONTAINER = 'backups'
const WAIT_FOR_LEASES_MS = 1_000

const job = JSON.parse(process.argv[2] ?? '') as Job
const outcome = await run(job)
process.send?.({ ...outcome, peakMb: process.resourceUsage().maxRSS / 1024 })
process.disconnect?.()

async function run(order: Job): Promise<Omit<Outcome, 'peakMb'>> {
  switch (order.kind) {
    case 'dump':
      return dumpTo(await openStore(order.place), order.url, order.file)
    case 'whole': {
      const store = await openStore(order.place)
      const written = await dumpTo(store, order.url, order.file)
      const clock = startClock()
      await readBack(store, order.file, { contents: written.contents, stored: { ...written.stored, codec: 'zstd' } })
      return { ...written, readBack: clock() }
    }
    case 'read-back': {
      const clock = startClock()
      await readBack(await openStore(order.place), order.manifest.file, order.manifest)
      return { ...order.manifest, spent: clock() }
    }
    case 'restore': {
      const spent = await restoreFrom(await openStore(order.place), order.url, order.manifest)
      return { ...order.manifest, ...spent }
    }
    default:
      throw new Error('There is no such job')
  }
}

/** As `backUp` does it. The clock stops when the last byte is written, and not when the disk has it, as with `> FILE`. */
async function dumpTo(store: BackupStore, url: string, file: string): Promise<Omit<Outcome, 'peakMb'>> {
  const clock = startClock()
  const pending = await store.begin(file)
  const encoder = createEncoder((chunk) => pending.write(chunk))
  const contents = await withClient(url, (client) =>
    dump(client, (chunk) => encoder.write(chunk), { version: 'bench' }),
  )
  const stored = await encoder.end()
  const spent = clock()
  await pending.commit()
  return { contents, stored, spent }
}

async function restoreFrom(
  store: BackupStore,
  url: string,
  manifest: Manifest,
): Promise<{ spent: Spent; committed: Spent }> {
  const clock = startClock()
  let committed: Spent | undefined
  await restore({
    url,
    replace: false,
    waitForLeasesMs: WAIT_FOR_LEASES_MS,
    effects: undefined,
    manifest,
    chunks: store.read(manifest.file),
    onStage: (stage) => {
      if (stage === 'migrate') committed = clock()
    },
  })
  if (committed === undefined) throw new Error('A restore that is done has committed')
  return { spent: clock(), committed }
}

async function openStore(place: Place): Promise<BackupStore> {
  if ('folder' in place) return createFolderStore(place.folder)
  const { BlobServiceClient } = await import('@azure/storage-blob')
  const service = BlobServiceClient.fromConnectionString(place.connectionString, { retryOptions: { maxTries: 1 } })
  return createBlobStore(async () => service.getContainerClient(CONTAINER), CONTAINER)
}

function startClock(): () => Spent {
  const begun = performance.now()
  const cpu = process.cpuUsage()
  return () => {
    const { user, system } = process.cpuUsage(cpu)
    return { seconds: (performance.now() - begun) / 1000, cpuSeconds: (user + system) / 1e6 }
  }
}
