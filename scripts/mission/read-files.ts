import { isUtf8 } from 'node:buffer'
import { readFile, stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { fromUser } from './from-user.ts'
import { UsageError } from './errors.ts'
import { size } from './text.ts'

/** Limits of the API (contracts page, "HTTP"); checked here so that the answer comes before the upload. */
const MOST_FILES = 20
const MOST_BYTES = 8 * 1024 * 1024

export interface FileInput {
  name: string
  content: string
  encoding: 'utf8' | 'base64'
}

/**
 * Reads the files that go with a mission: text as it is, anything else as base64, under their base names.
 * @throws UsageError for a file that is missing, unreadable, over 8 MiB or named as another, and for more than 20
 */
export async function readFiles(paths: readonly string[]): Promise<FileInput[]> {
  if (paths.length > MOST_FILES)
    throw new UsageError(`A mission takes up to ${MOST_FILES} files; these are ${paths.length}.`)
  const files: FileInput[] = []
  for (const path of paths) {
    const file = await readOne(path)
    if (files.some(({ name }) => name === file.name)) {
      throw new UsageError(
        `Two files are called ${file.name}. The mission knows files by that name; rename one of them.`,
      )
    }
    files.push(file)
  }
  return files
}

async function readOne(path: string): Promise<FileInput> {
  const content = await readBytes(path)
  // PostgreSQL's text can't hold NUL, which UTF-8 allows.
  const isText = isUtf8(content) && !content.includes(0)
  const encoding = isText ? 'utf8' : 'base64'
  return { name: basename(path), content: content.toString(encoding), encoding }
}

async function readBytes(path: string): Promise<Buffer> {
  const file = fromUser(path)
  try {
    const { size: bytes } = await stat(file)
    if (bytes > MOST_BYTES) throw new UsageError(`${path} has ${size(bytes)}; a mission takes files up to 8 MiB.`)
    return await readFile(file)
  } catch (error) {
    if (error instanceof UsageError) throw error
    throw new UsageError(
      `${path} can't be read: ${reasons[(error as NodeJS.ErrnoException).code ?? ''] ?? (error as Error).message}.`,
    )
  }
}

const reasons: Record<string, string> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a folder',
  EACCES: 'you may not read it',
}
