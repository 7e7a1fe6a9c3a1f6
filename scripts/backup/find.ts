import { newestVerified, type KnownBackup } from '../../src/backup/known-backup.ts'
import { listBackups } from '../../src/backup/retention/list-backups.ts'
import type { BackupStore } from '../../src/backup/store/store.ts'
import { TerminalError } from '../../src/domain/errors.ts'

/** The backup of that name, or the newest verified one for `LATEST`. Throws TerminalError `no_such_backup`. */
export async function findBackup(store: BackupStore, name: string): Promise<KnownBackup> {
  const backups = await listBackups(store)
  if (/^latest$/i.test(name)) {
    const newest = newestVerified(backups)
    if (newest !== undefined) return newest
    throw new TerminalError('no_such_backup', `There is no verified backup in ${store.place}.`, {
      hint: 'Make one with: npm run backup -- now',
    })
  }
  const found = backups.find((backup) => backup.name === name)
  if (found !== undefined) return found
  throw new TerminalError('no_such_backup', `There is no backup ${name} in ${store.place}.`, {
    hint: 'What there is, tells: npm run backup -- list',
  })
}
