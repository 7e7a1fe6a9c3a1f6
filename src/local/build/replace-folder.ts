import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

/**
 * Gives `folder` the files that `from` has, and no others. A file that is the same already is left alone, and any other is there as it
 * was or as it is to be, but at no time missing or half: somebody else may be reading the folder, or doing the same to it.
 * @param from on the same disk; its files are moved away
 */
export function replaceFolder(from: string, folder: string): void {
  const names = filesOf(from)
  for (const name of names) {
    const [source, target] = [join(from, name), join(folder, name)]
    if (isSame(source, target)) continue
    mkdirSync(dirname(target), { recursive: true })
    try {
      renameSync(source, target)
    } catch (error) {
      // Windows moves nothing over a file that is being read: then whoever does has it from another build like this one.
      if (!isSame(source, target)) throw error
    }
  }
  for (const name of filesOf(folder)) {
    if (!names.includes(name)) rmSync(join(folder, name), { force: true })
  }
}

function filesOf(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => relative(folder, join(parentPath, name)))
}

function isSame(a: string, b: string): boolean {
  return existsSync(b) && readFileSync(a).equals(readFileSync(b))
}
