import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Works in a folder of its own, which is gone afterwards, whatever becomes of the work. @param prefix how its path begins */
export async function inFolder<T>(prefix: string, work: (folder: string) => Promise<T>): Promise<T> {
  await mkdir(dirname(prefix), { recursive: true })
  const folder = await mkdtemp(prefix)
  try {
    return await work(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
