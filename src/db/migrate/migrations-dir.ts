import { join } from 'node:path'

/** The folder of the SQL files. Only scripts and the local environment migrate, so it is there: they run from the sources. */
export function migrationsDir(): string {
  return join(import.meta.dirname, '..', 'migrations')
}
