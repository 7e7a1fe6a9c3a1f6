import { stat } from 'node:fs/promises'
import { sep } from 'node:path'
import { glob, isDynamicPattern } from 'tinyglobby'
import { UsageError } from './errors.ts'
import { fromUser } from './from-user.ts'

/** Limit of the API (contracts page, "HTTP"); checked here so that the answer comes before the upload. */
export const MOST_FILES = 20

export interface FoundFile {
  /** As the user wrote it, or as the glob found it; for messages. */
  shown: string
  path: string
  /** What the mission calls it. */
  name: string
}

/**
 * Finds the files that paths and globs mean, each once, in the order given and sorted within a glob. What stands at a path
 * wins over reading it as a glob. A glob passes over folders, over names that begin with a dot unless it says so, and over
 * `node_modules` unless it names it.
 * @throws UsageError for a glob that finds nothing, and for more than 20 files
 */
export async function findFiles(patterns: readonly string[]): Promise<FoundFile[]> {
  const found = new Map<string, string>()
  for (const pattern of patterns) {
    for (const shown of await expand(pattern)) found.set(fromUser(shown), shown)
  }
  if (found.size > MOST_FILES) throw tooMany(found.size)
  const names = namesFor([...found.keys()])
  return [...found].map(([path, shown], index) => ({ shown, path, name: names[index] as string }))
}

export function tooMany(files: number): UsageError {
  return new UsageError(`A mission takes up to ${MOST_FILES} files; these are ${files}.`)
}

async function expand(pattern: string): Promise<string[]> {
  if (!isDynamicPattern(pattern) || (await isThere(pattern))) return [pattern]
  const { base, rest } = split(pattern)
  const files = await glob(rest, {
    cwd: fromUser(base === '' ? '.' : base),
    expandDirectories: false,
    ignore: rest.includes('node_modules') ? [] : ['**/node_modules/**'],
  })
  if (files.length === 0) {
    throw new UsageError(`No file matches ${pattern}. Names that begin with a dot are not looked at.`)
  }
  return files.map((file) => base + file).sort()
}

/** The folder that a glob begins in, with its slash: `**` in what is ignored does not reach above where a search begins. */
function split(pattern: string): { base: string; rest: string } {
  const parts = pattern.split('/')
  const fixed = parts.findIndex((part) => isDynamicPattern(part))
  const base = parts.slice(0, fixed).map((part) => `${part}/`)
  return fixed < 0 ? { base: '', rest: pattern } : { base: base.join(''), rest: parts.slice(fixed).join('/') }
}

async function isThere(pattern: string): Promise<boolean> {
  return stat(fromUser(pattern)).then(
    () => true,
    () => false,
  )
}

/** Base names, and of files that share one as many of their folders as tell them apart. */
function namesFor(paths: string[]): string[] {
  const parts = paths.map((path) => path.split(sep).filter((part) => part !== ''))
  const kept = paths.map(() => 1)
  for (;;) {
    const names = parts.map((path, index) => path.slice(-(kept[index] as number)).join('/'))
    const shared = names.map((name) => names.indexOf(name) !== names.lastIndexOf(name))
    if (!shared.includes(true)) return names
    shared.forEach((isShared, index) => {
      if (isShared) kept[index] = (kept[index] as number) + 1
    })
  }
}
