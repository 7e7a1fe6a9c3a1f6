import { TerminalError } from '../../domain/errors.ts'

export function backupExists(place: string, name: string): TerminalError {
  return new TerminalError('backup_exists', `There is a file ${name} in ${place} already. It was left as it is.`, {
    hint: 'Two backups of one second have one name: try again.',
  })
}

export function backupMissing(place: string, name: string): TerminalError {
  return new TerminalError('backup_missing', `There is no file ${name} in ${place}.`, {
    hint: 'See what there is: npm run backup -- list.',
  })
}

/** For a file that is not the one that reading began with. */
export function changedWhileRead(place: string, name: string): TerminalError {
  return new TerminalError('backup_damaged', `The file ${name} in ${place} was changed while it was read.`, {
    hint: 'Nothing of ours changes a backup: find out who does, and take another backup.',
  })
}

/** A name goes into a path or an address: it must be that of a file right there. Throws TerminalError `store_refused`. */
export function checkFileName(name: string): void {
  if (/^\w[\w.-]{0,199}$/.test(name)) return
  throw new TerminalError('store_refused', 'That is no name of a file of a backup.', {
    hint: 'Names are letters, digits, points and dashes: npm run backup -- list shows them.',
  })
}
