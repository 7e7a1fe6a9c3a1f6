import { rename } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { inFolder } from '../in-folder.ts'

/**
 * Makes a file beside its place, and moves it there once it is whole: two runs from one clone, of two environments, may want the same
 * one at once. Where `make` fails, what lay there stays.
 */
export async function placeFile(file: string, make: (temporary: string) => Promise<void>): Promise<void> {
  await inFolder(join(dirname(file), 'part-'), async (folder) => {
    const temporary = join(folder, basename(file))
    await make(temporary)
    await rename(temporary, file)
  })
}
