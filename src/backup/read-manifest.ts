import { TerminalError } from '../domain/errors.ts'
import { decodeManifest, type Manifest } from './manifest.ts'
import { manifestFile, type BackupName } from './name.ts'
import type { BackupStore } from './store/store.ts'

/** A manifest of 1,000 tables has less than 1 MB; more is not one of ours, and is not taken into memory. */
const LARGEST = 16 * 1024 * 1024

/** Throws TerminalError `backup_missing` where the store has no such backup, `manifest_damaged`. */
export async function readManifest(store: BackupStore, name: BackupName): Promise<Manifest> {
  const file = manifestFile(name)
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of store.read(file)) {
    bytes += chunk.length
    if (bytes > LARGEST) throw damaged(file, 'is larger than any manifest')
    chunks.push(chunk)
  }
  const manifest = decodeManifest(file, Buffer.concat(chunks))
  if (manifest.name !== name) throw damaged(file, `is that of ${manifest.name}`)
  return manifest
}

function damaged(file: string, why: string): TerminalError {
  return new TerminalError('manifest_damaged', `The manifest ${file} ${why}. Its backup can't be trusted.`, {
    hint: 'Take another backup (npm run backup -- list), or the offsite copy of this one.',
  })
}
