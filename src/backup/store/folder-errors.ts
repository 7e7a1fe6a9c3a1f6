import { z } from 'zod'
import { TerminalError } from '../../domain/errors.ts'

/** Disk, quota, and the limit of a file's size. */
const FULL: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])
const REFUSED: ReadonlySet<string> = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EISDIR', 'ENAMETOOLONG'])
/** What file systems without hard links answer to `link`. */
const NO_LINKS: ReadonlySet<string> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'])

const failureSchema = z.object({ code: z.string().regex(/^E\w+$/), syscall: z.string().optional() })

/** Undefined for what is no error of the file system. */
export function codeOf(error: unknown): string | undefined {
  return failureSchema.safeParse(error).data?.code
}

/** What an error of the file system means for backups in this folder; errors of our own come back as they are. */
export function folderFailure(place: string, error: unknown): Error {
  const failure = failureSchema.safeParse(error).data
  if (failure === undefined) return error instanceof Error ? error : new Error(String(error))
  const { code, syscall } = failure
  if (FULL.has(code))
    return new TerminalError('store_full', `The disk of ${place} is full (${code}). No backup was made.`, {
      hint: 'Free some space there, or remove backups that are no longer needed: npm run backup -- prune.',
      cause: error,
    })
  if (syscall === 'link' && NO_LINKS.has(code))
    return new TerminalError('store_refused', `The file system of ${place} has no hard links (${code}).`, {
      hint: 'Keep backups on a file system that has them: without, a file can’t be put in its place at once and only once.',
      cause: error,
    })
  if (REFUSED.has(code))
    return new TerminalError('store_refused', `The folder of backups ${place} can't be used (${code}).`, {
      hint: 'Let this user read and write there, or name another folder with --data.',
      cause: error,
    })
  return new TerminalError('store_unavailable', `The folder of backups ${place} does not work (${code}).`, {
    hint: 'Look at the disk, then try again.',
    cause: error,
  })
}
