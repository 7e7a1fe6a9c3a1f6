import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Edit, Mutant } from './list.ts'

const ROOT = join(import.meta.dirname, '../..')

/** What the proofs read. */
const COPIED = ['src', 'functions', 'test', 'scripts', 'profiles', 'package.json', 'tsconfig.json', 'host.json']
/** What nothing is changed in. */
const LINKED = ['node_modules', 'dist']

/** A copy of this tree, to be broken at will. */
export interface Tree {
  folder: string
  /** Does the work while the mutant is built in. Throws where its text is not in its file exactly once. */
  broken<T>(mutant: Mutant, work: () => Promise<T>): Promise<T>
  remove(): Promise<void>
}

export async function copyTree(): Promise<Tree> {
  const folder = await mkdtemp(join(tmpdir(), 'taskforce-mutants-'))
  for (const name of COPIED) await cp(join(ROOT, name), join(folder, name), { recursive: true })
  for (const name of LINKED) await symlink(join(ROOT, name), join(folder, name))
  // Where a proof leaves files of its own.
  await mkdir(join(folder, 'tmp'))
  return {
    folder,
    async broken(mutant, work) {
      const sound = new Map<string, string>()
      try {
        for (const edit of editsOf(mutant)) {
          const path = join(folder, edit.file)
          const text = await readFile(path, 'utf8')
          if (!sound.has(path)) sound.set(path, text)
          await writeFile(path, edited(mutant.name, edit, text))
        }
        return await work()
      } finally {
        for (const [path, text] of sound) await writeFile(path, text)
      }
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}

/** All changes of a mutant. */
export function editsOf({ file, find, replace, also = [] }: Mutant): Edit[] {
  return [{ file, find, replace }, ...also]
}

/**
 * A file's text with the change in it.
 * @throws Error where the text to be changed is not there exactly once
 */
export function edited(name: string, { file, find, replace }: Edit, sound: string): string {
  const times = sound.split(find).length - 1
  if (times === 0) throw new Error(`The text of mutant ${name} is no more in ${file}: mend the list`)
  if (times > 1) throw new Error(`The text of mutant ${name} is ${times} times in ${file}: make it longer in the list`)
  return sound.replace(find, () => replace)
}
