import { createHash } from 'node:crypto'
import { globSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { basename, join, relative } from 'node:path'
import { CODE_REVISION } from '../../../src/db/schema-revision.ts'
import { buildBundle } from '../../../src/local/build/build-bundle.ts'
import { stagePackage } from '../../../src/local/build/stage-package.ts'
import { version } from '../../../src/version.ts'
import { inFolder } from '../in-folder.ts'
import { packageBlob } from './package-blob.ts'
import { placeFile } from './place-file.ts'
import { zip, type ZipEntry } from './zip.ts'

export interface Package {
  version: string
  commit: string
  codeRevision: number
  /** By which the running app and the migrator say that they are this package: versions of two may be alike. */
  build: string
  /** Name of the blob, by version and commit. */
  blob: string
  sha256: string
  bytes: number
  /** Where it lies on this machine. */
  file: string
}

export interface Source {
  commit: string
  /** Of the working folder, where it has changes: the commit alone does not say what is in the package. */
  hasChanges: boolean
}

/**
 * Builds the package of the sources as they are into `folder`, and zips what azd would take too. The same sources give the same bytes,
 * and two builds at once don't meet.
 */
export async function buildPackage({ commit, hasChanges }: Source, folder: string): Promise<Package> {
  const { build, bytes } = await bytesOf(folder)
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  const blob = packageBlob({ commit, sha256: hasChanges ? sha256 : undefined })
  const file = join(folder, basename(blob))
  await placeFile(file, (temporary) => writeFile(temporary, bytes))
  return { version, commit, codeRevision: CODE_REVISION, build, blob, sha256, bytes: bytes.length, file }
}

/** In folders right within `folder`, since source maps name the sources from where they lie. */
async function bytesOf(folder: string): Promise<{ build: string; bytes: Buffer }> {
  return inFolder(join(folder, 'dist-'), (dist) =>
    inFolder(join(folder, 'staged-'), async (staged) => {
      const built = await buildBundle(dist)
      stagePackage(built, staged)
      return { build: built.build, bytes: zip(await entriesOf(staged)) }
    }),
  )
}

async function entriesOf(folder: string): Promise<ZipEntry[]> {
  const files = globSync('**/*', { cwd: folder, withFileTypes: true }).filter((entry) => entry.isFile())
  return Promise.all(
    files.map(async ({ parentPath, name }) => {
      const file = join(parentPath, name)
      return { name: relative(folder, file).replaceAll('\\', '/'), bytes: await readFile(file) }
    }),
  )
}
