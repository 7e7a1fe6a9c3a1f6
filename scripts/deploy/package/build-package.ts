import { createHash } from 'node:crypto'
import { globSync } from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CODE_REVISION } from '../../../src/db/schema-revision.ts'
import { buildBundle } from '../../../src/local/build/build-bundle.ts'
import { version } from '../../../src/version.ts'
import { zip } from './zip.ts'

export interface Package {
  version: string
  commit: string
  codeRevision: number
  /** Name of the blob, by version and commit. */
  blob: string
  sha256: string
  bytes: number
  /** Where it lies on this machine. */
  file: string
}

export interface Source {
  root: string
  commit: string
  /** Of the working folder, where it has changes: the commit alone does not say what is in the package. */
  hasChanges: boolean
}

/** Builds the package of the sources as they are into `folder`: host.json, package.json and the bundle. The same sources give the same bytes. */
export async function buildPackage({ root, commit, hasChanges }: Source, folder: string): Promise<Package> {
  const dist = join(folder, 'dist')
  await buildBundle(dist)
  const names = globSync('**/*', { cwd: dist, withFileTypes: true }).filter((entry) => entry.isFile())
  const files = names.map((entry) => join(entry.parentPath, entry.name))
  const entries = await Promise.all(
    files.map(async (file) => ({
      name: `dist${file.slice(dist.length).replaceAll('\\', '/')}`,
      bytes: await readFile(file),
    })),
  )
  const manifest = { name: 'taskforce', version, main: 'dist/index.cjs' }
  const bytes = zip([
    ...entries,
    { name: 'host.json', bytes: await readFile(join(root, 'host.json')) },
    { name: 'package.json', bytes: Buffer.from(JSON.stringify(manifest)) },
  ])
  await rm(dist, { recursive: true })
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  const blob = packageBlob({ commit, sha256: hasChanges ? sha256 : undefined })
  const file = join(folder, blob.slice('packages/'.length))
  await mkdir(folder, { recursive: true })
  await writeFile(file, bytes)
  return { version, commit, codeRevision: CODE_REVISION, blob, sha256, bytes: bytes.length, file }
}

/** @param sha256 given where the commit does not say what is in it */
export function packageBlob({ commit, sha256 }: { commit: string; sha256: string | undefined }): string {
  const changes = sha256 === undefined ? '' : `-changed-${sha256.slice(0, 12)}`
  return `packages/taskforce-${version}-${commit.slice(0, 12)}${changes}.zip`
}
