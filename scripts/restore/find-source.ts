import { createReadStream } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { openDataKey } from '../../src/backup/codec/data-key.ts'
import { backupAt } from '../../src/backup/known-backup.ts'
import { decodeManifest, type Manifest } from '../../src/backup/manifest.ts'
import { readManifest } from '../../src/backup/read-manifest.ts'
import { manifestBeside } from '../../src/backup/restore/manifest-beside.ts'
import { requireManifest } from '../../src/backup/restore/refusals.ts'
import { listBackups } from '../../src/backup/retention/list-backups.ts'
import type { BackupStore } from '../../src/backup/store/store.ts'
import { TerminalError } from '../../src/domain/errors.ts'
import { findBackup } from '../backup/find.ts'

/** What is to be restored. */
export interface Source {
  manifest: Manifest
  /** Of the stored file; each call reads it anew. */
  chunks(): AsyncIterable<Buffer>
  dataKey: Buffer | undefined
}

/** A file where there is one of that name, else a backup of the store. Throws TerminalError `no_such_backup`, `manifest_missing`, `manifest_damaged`. */
export async function findSource(
  store: BackupStore,
  { what = 'LATEST', at, cwd }: { what: string | undefined; at: Date | undefined; cwd: string },
): Promise<Source> {
  const path = resolve(cwd, what)
  if (at === undefined && (await isFile(path))) return withKey(await readBeside(path), () => createReadStream(path))
  const backup = at === undefined ? await findBackup(store, what) : await before(store, at)
  // What is wrong with one that is there, says reading it again.
  const manifest = backup.hasManifest ? await readManifest(store, backup.name) : requireManifest(undefined)
  // Before anything drains for it.
  if (backup.state === 'damaged' || backup.state === 'incomplete') {
    throw new TerminalError('backup_damaged', `${backup.name} can't be restored: ${backup.problem ?? backup.state}.`, {
      hint: 'Take another backup (npm run backup -- list), or the offsite copy of this one (--offsite).',
    })
  }
  return withKey(manifest, () => store.read(manifest.file))
}

async function before(store: BackupStore, at: Date) {
  const found = backupAt(await listBackups(store), at)
  if (found !== undefined) return found
  throw new TerminalError(
    'no_such_backup',
    `There is no verified backup of before ${at.toISOString()} in ${store.place}.`,
    {
      hint: 'What there is, tells: npm run backup -- list',
    },
  )
}

async function readBeside(path: string): Promise<Manifest> {
  const file = manifestBeside(path)
  const bytes = await readFile(file).catch(() => undefined)
  return requireManifest(bytes && decodeManifest(file, bytes))
}

async function withKey(manifest: Manifest, chunks: () => AsyncIterable<Buffer>): Promise<Source> {
  const { encryption } = manifest.stored
  return { manifest, chunks, dataKey: encryption && (await openDataKey(encryption)) }
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (stats) => stats.isFile(),
    () => false,
  )
}
