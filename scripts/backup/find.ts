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
    throw noneVerified(store, backups)
  }
  const found = backups.find((backup) => backup.name === name)
  if (found !== undefined) return found
  throw new TerminalError('no_such_backup', `There is no backup ${name} in ${store.place}.`, {
    hint: 'What there is, tells: npm run backup -- list',
  })
}

function noneVerified({ place }: BackupStore, backups: readonly KnownBackup[]): TerminalError {
  const none = `There is no verified backup in ${place}`
  const unverified = backups.filter(({ state }) => state === 'unverified').map(({ name }) => name)
  // Names are of the moments of their snapshots.
  const newest = unverified.sort().at(-1)
  if (newest === undefined) {
    return new TerminalError('no_such_backup', `${none}.`, { hint: 'Make one with: npm run backup -- now' })
  }
  const there = `${unverified.length} unverified ${unverified.length === 1 ? 'one is' : 'ones are'} there`
  return new TerminalError('no_such_backup', `${none}; ${there}, and the newest is ${newest}.`, {
    hint: `Why it is unverified, tells: npm run backup -- show ${newest}. It is restored by its name: npm run restore -- ${newest}`,
  })
}
