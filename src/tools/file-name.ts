import { z } from 'zod'

/** Most characters in a file's name, folders included. */
const MAX_NAME = 200

/**
 * Says what is wrong with a workspace file's name, or gives undefined. Every folder on the way is checked as the name is,
 * so `..`, empty folders and hidden files are all refused by the same two rules.
 */
export function fileNameProblem(name: string): string | undefined {
  if (name.length === 0 || name.length > MAX_NAME) return `a file name has 1 to ${MAX_NAME} characters`
  if (/[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]/u.test(name)) return 'a file name has no control characters or line breaks'
  if (name.includes('\\')) return 'folders in a file name are separated by forward slashes'
  const parts = name.split('/')
  if (parts.includes('')) return 'a file name does not start or end with a slash and has no empty folder'
  if (parts.some((part) => part.startsWith('.'))) return 'no folder or file name starts with a dot'
  return undefined
}

/** Of some names, one that needs a folder where the other has a file: `a` and `a/b` can't both be written to a disk. */
export function clashOf(name: string, others: Iterable<string>): string | undefined {
  for (const other of others) {
    if (name.startsWith(`${other}/`) || other.startsWith(`${name}/`)) return other
  }
  return undefined
}

/** A name that may be given to a new file: relative, visible, 1-200 characters. */
export const newFileName = z.string().superRefine((name, check) => {
  const problem = fileNameProblem(name)
  if (problem) check.addIssue({ code: 'custom', message: problem })
})
