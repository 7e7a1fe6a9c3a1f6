import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** The folder of the SQL files: beside the bundle, else in the sources. */
export function migrationsDir(): string {
  const built = join(import.meta.dirname, 'migrations')
  return existsSync(built) ? built : join(import.meta.dirname, '..', 'migrations')
}
