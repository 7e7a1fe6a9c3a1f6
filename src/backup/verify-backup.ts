import type { Manifest } from './manifest.ts'
import type { BackupName } from './name.ts'
import { readBack } from './read-back.ts'
import { readManifest } from './read-manifest.ts'
import type { BackupStore } from './store/store.ts'

/**
 * Reads a backup to its last byte and compares it with its manifest. Throws TerminalError with what is wrong; answers the
 * manifest where nothing is.
 */
export async function verifyBackup(store: BackupStore, name: BackupName): Promise<Manifest> {
  const manifest = await readManifest(store, name)
  await readBack(store, manifest.file, manifest)
  return manifest
}
