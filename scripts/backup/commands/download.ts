import { rm } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { openDataKey } from '../../../src/backup/codec/data-key.ts'
import { decode } from '../../../src/backup/codec/decode.ts'
import { createEncoder } from '../../../src/backup/codec/encode.ts'
import { tapHash, type StoredHash } from '../../../src/backup/codec/hash-stored.ts'
import { encodeManifest, type Manifest } from '../../../src/backup/manifest.ts'
import { manifestBeside } from '../../../src/backup/restore/manifest-beside.ts'
import type { PendingFile } from '../../../src/backup/store/store.ts'
import { verifyBackup } from '../../../src/backup/verify-backup.ts'
import { TerminalError } from '../../../src/domain/errors.ts'
import { shellWord } from '../../mission/shell-word.ts'
import { size } from '../../mission/text.ts'
import type { Context, SharedOptions } from '../context.ts'
import { findBackup } from '../find.ts'
import { beginNewFile, refuseExisting } from '../new-file.ts'
import { open } from '../open.ts'
import { EXIT } from '../run-words.ts'

interface Options extends SharedOptions {
  to?: string
}

/**
 * Verifies a backup and copies it to a file, of which nothing is there before all of it is; its manifest goes beside it. An
 * encrypted one is written without its encryption, so that `zstd` and `psql` can read it.
 */
export async function downloadBackup(context: Context, options: Options, name: string): Promise<number> {
  const { main } = open({ ...options, database: false }, context)
  const to = resolve(context.cwd, options.to ?? '')
  const beside = manifestBeside(to)
  // Minutes before the files would be refused at their end.
  for (const path of [to, beside]) await refuseExisting(path)
  const found = await findBackup(main, name)
  const manifest = await verifyBackup(main, found.name)
  const { bytes } = await writeBoth(to, beside, manifest, main.read(manifest.file))
  if (options.json) context.terminal.json({ name: found.name, path: to, bytes })
  else context.terminal.print([`${to}  ${size(bytes)}`, beside, `Restore it with: npm run restore -- ${shellWord(to)}`])
  return EXIT.done
}

/** The manifest has its name first: then the data's name says that all is there. */
async function writeBoth(
  to: string,
  beside: string,
  manifest: Manifest,
  chunks: AsyncIterable<Buffer>,
): Promise<StoredHash> {
  const data = await beginNewFile(to)
  try {
    const written = await writeData(data, manifest, chunks)
    const stored = { ...written, codec: 'zstd' as const }
    const text = await beginNewFile(beside)
    try {
      await text.write(encodeManifest({ ...manifest, file: basename(to), stored }))
      await text.commit()
    } finally {
      await text.abort()
    }
    await data.commit().catch(async (error: unknown) => {
      await rm(beside, { force: true })
      throw error
    })
    return written
  } finally {
    await data.abort()
  }
}

/** Throws TerminalError `backup_differs` where the store gives other bytes now than those that were just verified. */
async function writeData(
  { write }: PendingFile,
  { name, stored }: Manifest,
  chunks: AsyncIterable<Buffer>,
): Promise<StoredHash> {
  const tapped = tapHash(chunks)
  let recoded: StoredHash | undefined
  if (stored.encryption === undefined) for await (const chunk of tapped.chunks) await write(chunk)
  else {
    const encoder = createEncoder(write)
    for await (const chunk of decode(tapped.chunks, await openDataKey(stored.encryption))) await encoder.write(chunk)
    recoded = await encoder.end()
  }
  const read = tapped.result()
  if (read.bytes === stored.bytes && read.sha256 === stored.sha256) return recoded ?? read
  throw new TerminalError('backup_differs', `${name} changed while it was read. Nothing was written.`, {
    hint: `Look at it again: npm run backup -- verify ${name}`,
  })
}
