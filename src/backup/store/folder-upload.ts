import { randomUUID } from 'node:crypto'
import { link, open, readdir, rm, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { codeOf, folderFailure } from './folder-errors.ts'
import { backupExists } from './store-errors.ts'
import type { PendingFile } from './store.ts'

/** What a run that was killed leaves behind; a run that writes touches its file far more often than this. */
const LEFTOVER_MS = 24 * 60 * 60 * 1000

/** Hidden, and of no name that a backup has. */
const UNFINISHED = /^\..+\.[0-9a-f-]{36}\.part$/

/** Whether a file of the folder is one that nobody has committed. */
export function isUnfinished(file: string): boolean {
  return UNFINISHED.test(file)
}

/** A name that no other run has; for `isUnfinished`. */
export function unfinishedName(of: string): string {
  return `.${of}.${randomUUID()}.part`
}

/** Writes beside the name until all is on the disk; `link` then gives the name, and fails where it is taken. */
export async function beginFile(folder: string, name: string): Promise<PendingFile> {
  const unfinished = join(folder, unfinishedName(name))
  const file = await open(unfinished, 'wx', 0o600)
  let closed: Promise<void> | undefined
  const close = () => (closed ??= file.close())

  return {
    async write(chunk) {
      try {
        // A full disk takes a part of a chunk at first: write says how much, and writeFile goes on until it has all or fails.
        await file.appendFile(chunk)
      } catch (error) {
        throw folderFailure(folder, error)
      }
    },
    async commit() {
      try {
        await file.sync()
        await close()
        await link(unfinished, join(folder, name))
      } catch (error) {
        throw codeOf(error) === 'EEXIST' ? backupExists(folder, name) : folderFailure(folder, error)
      }
      try {
        await syncFolder(folder)
      } catch (error) {
        await unlink(join(folder, name)).catch(() => undefined)
        throw folderFailure(folder, error)
      }
      await unlink(unfinished).catch(() => undefined)
    },
    async abort() {
      await close().catch(() => undefined)
      await rm(unfinished, { force: true }).catch(() => undefined)
    },
  }
}

/** So that the new name outlives a loss of power. Windows has no such thing. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** @param now by the clock of the folder's file system */
export async function removeLeftovers(folder: string, now: Date): Promise<void> {
  for (const file of (await readdir(folder)).filter(isUnfinished)) {
    const path = join(folder, file)
    // Another run may be at the same.
    const age = await stat(path).then(
      ({ mtimeMs }) => now.getTime() - mtimeMs,
      () => 0,
    )
    if (age > LEFTOVER_MS) await rm(path, { force: true })
  }
}
