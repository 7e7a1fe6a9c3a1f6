import { TerminalError } from '../../domain/errors.ts'
import type { KnownBackup } from '../known-backup.ts'
import { encodeManifest } from '../manifest.ts'
import { manifestFile } from '../name.ts'
import type { BackupStore } from '../store/store.ts'

/**
 * Removes the manifest first: from then on there is no backup, and what a kill leaves behind is data without a manifest,
 * which the next run removes by the rule for those. The other way around a kill would leave a backup that looks whole in
 * every list and has no data.
 *
 * `held`: it is still there, whole. `changed`: it was listed without a manifest and has one now; it was left alone.
 */
export async function removeBackup(store: BackupStore, backup: KnownBackup): Promise<'removed' | 'held' | 'changed'> {
  const manifest = manifestFile(backup.name)
  if (backup.hasManifest) {
    if ((await store.remove(manifest)) === 'held') return 'held'
  } else if (await isThere(store, manifest)) return 'changed'
  if (backup.file === '') return 'removed'
  if ((await store.remove(backup.file)) !== 'held') return 'removed'
  // Somebody held it just now: with its manifest back it is a backup again.
  if (backup.manifest !== undefined) await store.put(manifest, encodeManifest(backup.manifest))
  return 'held'
}

/** Asks the store itself: a list may have been made before the manifest was, or have missed it. */
async function isThere(store: BackupStore, file: string): Promise<boolean> {
  try {
    for await (const _ of store.read(file)) return true
    return true
  } catch (error) {
    if (error instanceof TerminalError && error.code === 'backup_missing') return false
    throw error
  }
}
