import { TerminalError } from '../domain/errors.ts'
import type { KnownBackup } from './known-backup.ts'
import { manifestFile } from './name.ts'
import type { BackupStore } from './store/store.ts'

/** What became of a hold in one store. */
export type StoreHeld = { place: string; held: boolean } | { place: string; error: string }

/**
 * Keeps a backup from being removed by anybody, or lets it go again, in each store: what fails in one is only reported, so
 * that the others are marked all the same. Throws TerminalError `no_such_backup` where none of them has it.
 * @param find the backup in a store; throws TerminalError `no_such_backup`
 */
export async function holdBackup(
  stores: readonly BackupStore[],
  find: (store: BackupStore) => Promise<KnownBackup>,
  on: boolean,
): Promise<StoreHeld[]> {
  const reports: StoreHeld[] = []
  const missing: unknown[] = []
  for (const store of stores) {
    try {
      const { name, file, hasManifest } = await find(store)
      for (const one of hasManifest ? [file, manifestFile(name)] : [file]) await store.hold(one, on)
      reports.push({ place: store.place, held: on })
    } catch (error) {
      if (error instanceof TerminalError && error.code === 'no_such_backup') missing.push(error)
      reports.push({ place: store.place, error: error instanceof Error ? error.message : String(error) })
    }
  }
  if (missing.length === stores.length) throw missing[0]
  return reports
}
