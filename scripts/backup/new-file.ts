import { lstat } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { codeOf } from '../../src/backup/store/folder-errors.ts'
import { beginFile } from '../../src/backup/store/folder-upload.ts'
import type { PendingFile } from '../../src/backup/store/store.ts'
import { TerminalError } from '../../src/domain/errors.ts'

/**
 * A file of the user's, of which nothing is under its name before `commit`. Throws TerminalError `file_exists`, and
 * `file_not_written` where the disk, its limits or its rights do not let it be.
 */
export async function beginNewFile(path: string): Promise<PendingFile> {
  const writing = <T>(work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      throw failureOf(path, error)
    })
  const file = await writing(beginFile(dirname(path), basename(path)))
  return {
    write: (chunk) => writing(file.write(chunk)),
    commit: () => writing(file.commit()),
    abort: () => file.abort(),
  }
}

/** Throws TerminalError `file_exists` where there is anything of that name; the last word has `commit`. */
export async function refuseExisting(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined)
  if (found !== undefined) throw exists(path)
}

function exists(path: string): TerminalError {
  return new TerminalError('file_exists', `${path} is there already, and nothing is written over it.`, {
    hint: 'Give another name with --to, or remove it first.',
  })
}

function failureOf(path: string, error: unknown): unknown {
  if (error instanceof TerminalError && error.code === 'backup_exists') return exists(path)
  const code = codeOf(error instanceof TerminalError ? error.cause : error)
  if (code === undefined) return error
  return new TerminalError('file_not_written', `${path} can't be written (${code}). Nothing is left of it.`, {
    hint: 'Look whether its folder is there, may be written to, and has room for all of it; or give another with --to.',
    cause: error,
  })
}
