import { version } from '../../../src/version.ts'

/** In the name of a package that was built from a folder with changes. */
const CHANGED = '-changed-'

/** @param sha256 given where the commit does not say what is in it */
export function packageBlob({ commit, sha256 }: { commit: string; sha256: string | undefined }): string {
  const changes = sha256 === undefined ? '' : `${CHANGED}${sha256.slice(0, 12)}`
  return `packages/taskforce-${version}-${commit.slice(0, 12)}${changes}.zip`
}

/** Whether the commit in its name does not say what is in it. */
export function hasChanges(blob: string): boolean {
  return blob.includes(CHANGED)
}
