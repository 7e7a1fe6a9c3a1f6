import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'

const DIGITS = 16

/** Tells builds apart: a hash over the names and bytes of all files of `folder`, the same on every machine. */
export function buildIdOf(folder: string): string {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const names = files.map(({ parentPath, name }) => relative(folder, join(parentPath, name)).replaceAll('\\', '/'))
  const hash = createHash('sha256')
  for (const name of names.sort()) {
    const bytes = readFileSync(join(folder, name))
    // With its length, so that no two ways to cut the files look alike.
    hash.update(`${name}\n${bytes.length}\n`).update(bytes)
  }
  return hash.digest('hex').slice(0, DIGITS)
}
