import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

const fileSchema = z.object({ build: z.string().regex(/^[0-9a-f]{16}$/) })

/** What a folder with a bundle says which build it is, beside the bundle. */
export const BUILD_FILE = 'build.json'

/** Of the package that this code runs from; undefined where it runs from sources. Two packages of one version differ in it. */
export const buildId: string | undefined = readBuildId(import.meta.dirname)

/** Of the bundle in `folder`; undefined where there is none, or one from before bundles said it. */
export function readBuildId(folder: string): string | undefined {
  try {
    return fileSchema.parse(JSON.parse(readFileSync(join(folder, BUILD_FILE), 'utf8'))).build
  } catch {
    // An entry point that throws while it loads would leave the host without a single function.
    return undefined
  }
}
