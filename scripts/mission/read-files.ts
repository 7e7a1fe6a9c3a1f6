import { isUtf8 } from 'node:buffer'
import { readFile, stat } from 'node:fs/promises'
import { UsageError } from './errors.ts'
import { findFiles, type FoundFile } from './find-files.ts'
import { size } from './text.ts'

/** Limit of the API (contracts page, "HTTP"); checked here so that the answer comes before the upload. */
export const MOST_BYTES = 8 * 1024 * 1024

export interface FileInput {
  name: string
  content: string
  encoding: 'utf8' | 'base64'
}

/**
 * Reads the files that go with a mission, under names that tell them apart.
 * @param patterns paths and globs
 * @throws UsageError for a file that is missing, unreadable or over 8 MiB, and as `findFiles` does
 */
export async function readFiles(patterns: readonly string[]): Promise<FileInput[]> {
  const files: FileInput[] = []
  for (const found of await findFiles(patterns)) files.push(toInput(found.name, await readBytes(found)))
  return files
}

/** Text as it is, anything else as base64. */
export function toInput(name: string, content: Buffer): FileInput {
  const encoding = isText(content) ? 'utf8' : 'base64'
  return { name, content: content.toString(encoding), encoding }
}

/** PostgreSQL's text can't hold NUL, which UTF-8 allows. */
export function isText(content: Buffer): boolean {
  return isUtf8(content) && !content.includes(0)
}

async function readBytes({ shown, path }: FoundFile): Promise<Buffer> {
  try {
    const { size: bytes } = await stat(path)
    if (bytes > MOST_BYTES) throw new UsageError(`${shown} has ${size(bytes)}; a mission takes files up to 8 MiB.`)
    return await readFile(path)
  } catch (error) {
    if (error instanceof UsageError) throw error
    throw new UsageError(
      `${shown} can't be read: ${reasons[(error as NodeJS.ErrnoException).code ?? ''] ?? (error as Error).message}.`,
    )
  }
}

const reasons: Record<string, string> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a folder',
  EACCES: 'you may not read it',
}
