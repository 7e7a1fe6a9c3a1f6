import { TerminalError } from '../domain/errors.ts'
import { decodeManifest, type Manifest } from './manifest.ts'
import { manifestFile, type BackupName } from './name.ts'
import { readBack } from './read-back.ts'
import type { BackupStore } from './store/store.ts'

/** A manifest is some kilobytes; whatever is larger than this is none. */
const LARGEST_MANIFEST = 4 * 1024 * 1024

/** Throws TerminalError `backup_missing` where the store has no such backup, `manifest_damaged`. */
export async function readManifest(store: BackupStore, name: BackupName): Promise<Manifest> {
  const file = manifestFile(name)
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of store.read(file)) {
    bytes += chunk.length
    if (bytes > LARGEST_MANIFEST)
      throw new TerminalError('manifest_damaged', `The file ${file} is too large for a manifest.`)
    chunks.push(chunk)
  }
  return decodeManifest(file, Buffer.concat(chunks))
}

/**
 * Reads a backup to its last byte and compares it with its manifest. Throws TerminalError with what is wrong; answers the
 * manifest where nothing is.
 */
export async function verifyBackup(store: BackupStore, name: BackupName): Promise<Manifest> {
  const manifest = await readManifest(store, name)
  await readBack(store, manifest.file, manifest)
  return manifest
}
