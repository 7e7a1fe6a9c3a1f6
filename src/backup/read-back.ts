import { TerminalError } from '../domain/errors.ts'
import { openDataKey } from './codec/data-key.ts'
import { decode } from './codec/decode.ts'
import { tapHash } from './codec/hash-stored.ts'
import type { DumpContents, Manifest } from './manifest.ts'
import { verifyPlain } from './plain/verify-plain.ts'
import type { BackupStore } from './store/store.ts'

/**
 * Reads a stored file to its end and compares it with what was dumped: the stored bytes, the text, and each table's rows.
 * Throws TerminalError `backup_missing`, `backup_damaged` or `backup_differs`.
 * @param dataKey where the caller has it at hand; otherwise Key Vault opens it
 */
export async function readBack(
  store: BackupStore,
  file: string,
  { contents, stored }: { contents: DumpContents; stored: Manifest['stored'] },
  dataKey?: Buffer,
): Promise<void> {
  const key = dataKey ?? (stored.encryption && (await openDataKey(stored.encryption)))
  const tapped = tapHash(store.read(file))
  await verifyPlain(decode(tapped.chunks, key), contents)
  const found = tapped.result()
  if (found.bytes !== stored.bytes || found.sha256 !== stored.sha256) {
    throw new TerminalError('backup_damaged', `The file ${file} in ${store.place} is not the one that was written.`, {
      hint: 'Take another backup, or the offsite copy of this one.',
    })
  }
}
