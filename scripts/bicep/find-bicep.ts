import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { BICEP_VERSION, packageFor } from './package.ts'

export interface Place {
  /** The repository. */
  root: string
  platform: NodeJS.Platform
  arch: string
  /** Value of PATH. */
  path: string
}

/**
 * The compiler: ours if it is installed, since its version is the one that the pinned snapshots were made with; else the one on
 * PATH. Undefined where there is neither.
 */
export function findBicep(place: Place): string | undefined {
  const onPath = place.path
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, fileName(place.platform)))
  return [installedBicep(place), ...onPath].find((file) => file !== undefined && isProgram(file))
}

/** Where `npm run bicep:install` puts it; undefined on a platform that has no package. */
export function installedBicep({ root, platform, arch }: Omit<Place, 'path'>): string | undefined {
  const name = packageFor(platform, arch)
  if (name === undefined) return undefined
  return join(root, '.bicep', name.toLowerCase(), BICEP_VERSION, 'tools', fileName(platform))
}

/** The package's file may be run only by the user who installed it. */
function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function fileName(platform: NodeJS.Platform): string {
  return platform === 'win32' ? 'bicep.exe' : 'bicep'
}
