import { mkdir, open, readdir, rm, stat, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { codeOf, folderFailure } from './folder-errors.ts'
import { beginFile, isUnfinished, removeLeftovers, unfinishedName } from './folder-upload.ts'
import { backupMissing, changedWhileRead, checkFileName } from './store-errors.ts'
import type { BackupStore, PendingFile, StoredFile } from './store.ts'

const HOLD = '.hold'
const READ_BYTES = 256 * 1024

/**
 * Backups in a folder, which is made when it is needed; nobody but this user may look into it. A held file has an empty file
 * `NAME.hold` beside it. Throws as the interface says, and TerminalError `store_full` where the disk is full. What a file system
 * never answers, such as one of a server that is away, is waited for: Node has no way to give up on it.
 */
export function createFolderStore(dir: string): BackupStore {
  async function begin(name: string): Promise<PendingFile> {
    checkFileName(name)
    await mkdir(dir, { recursive: true, mode: 0o700 })
    await removeLeftovers(dir, await readClock(dir))
    return beginFile(dir, name)
  }

  return {
    place: dir,
    list: () => orFailure(dir, () => listFiles(dir)),
    now: () =>
      orFailure(dir, async () => {
        await mkdir(dir, { recursive: true, mode: 0o700 })
        return readClock(dir)
      }),
    begin: (name) => orFailure(dir, () => begin(name)),
    async put(name, bytes) {
      const file = await orFailure(dir, () => begin(name))
      try {
        await file.write(bytes)
        await file.commit()
      } finally {
        await file.abort()
      }
    },
    read: (name) => readFileOf(dir, name),
    remove: (name) => orFailure(dir, () => removeFile(dir, name)),
    hold: (name, on) => orFailure(dir, () => holdFile(dir, name, on)),
  }
}

async function orFailure<T>(dir: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw folderFailure(dir, error)
  }
}

async function listFiles(dir: string): Promise<StoredFile[]> {
  const entries = await unlessMissing(readdir(dir, { withFileTypes: true }))
  const names = (entries ?? []).filter((entry) => entry.isFile()).map(({ name }) => name)
  const present = new Set(names)
  const files: StoredFile[] = []
  for (const name of names) {
    if (isUnfinished(name) || (name.endsWith(HOLD) && present.has(name.slice(0, -HOLD.length)))) continue
    // Removed in the meantime: it is no longer there.
    const found = await unlessMissing(stat(join(dir, name)))
    if (found !== undefined)
      files.push({ name, bytes: found.size, modifiedAt: found.mtime, held: present.has(name + HOLD) })
  }
  return files
}

/** The clock that files get their times from, which on a server's disk is not ours: that of a file made just now. */
async function readClock(dir: string): Promise<Date> {
  const path = join(dir, unfinishedName('clock'))
  await writeFile(path, '', { flag: 'wx', mode: 0o600 })
  try {
    return (await stat(path)).mtime
  } finally {
    await rm(path, { force: true })
  }
}

async function* readFileOf(dir: string, name: string): AsyncGenerator<Buffer> {
  checkFileName(name)
  const file = await open(join(dir, name), 'r').catch((error: unknown) => {
    throw codeOf(error) === 'ENOENT' ? backupMissing(dir, name) : folderFailure(dir, error)
  })
  try {
    const { size } = await orFailure(dir, () => file.stat())
    let at = 0
    for (;;) {
      const chunk = Buffer.allocUnsafeSlow(READ_BYTES)
      const { bytesRead } = await orFailure(dir, () => file.read(chunk, 0, READ_BYTES, at))
      at += bytesRead
      if (at > size || (bytesRead === 0 && at < size)) throw changedWhileRead(dir, name)
      if (bytesRead === 0) return
      yield chunk.subarray(0, bytesRead)
    }
  } finally {
    await file.close()
  }
}

async function removeFile(dir: string, name: string): Promise<'removed' | 'held' | 'absent'> {
  checkFileName(name)
  if ((await unlessMissing(stat(join(dir, name + HOLD)))) !== undefined) return 'held'
  const removed = await unlessMissing(unlink(join(dir, name)).then(() => 'removed' as const))
  return removed ?? 'absent'
}

async function holdFile(dir: string, name: string, on: boolean): Promise<void> {
  checkFileName(name)
  if ((await unlessMissing(stat(join(dir, name)))) === undefined) throw backupMissing(dir, name)
  if (on) await writeFile(join(dir, name + HOLD), '', { mode: 0o600 })
  else await rm(join(dir, name + HOLD), { force: true })
}

async function unlessMissing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}
