import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { buildBundle, type Built } from './build-bundle.ts'
import { replaceFolder } from './replace-folder.ts'
import { stagePackage } from './stage-package.ts'

/**
 * Builds the bundle into `dist` and what Azure is given into `.azure-package`, as often at once as one likes: azd builds for each of its
 * services, both at the same time, and takes the folder as soon as one of them is done.
 */
export async function layOutPackage(dist = 'dist', staged = '.azure-package'): Promise<Built> {
  // Beside the folders, since source maps name the sources from where they lie.
  const [builtIn, stagedIn] = [mkdtempSync(`${dist}-`), mkdtempSync(`${staged}-`)]
  try {
    const built = await buildBundle(builtIn)
    stagePackage(built, stagedIn)
    replaceFolder(stagedIn, staged)
    replaceFolder(builtIn, dist)
    return { ...built, entry: join(dist, 'index.cjs') }
  } finally {
    for (const folder of [builtIn, stagedIn]) rmSync(folder, { recursive: true, force: true })
  }
}
