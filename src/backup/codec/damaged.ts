import { TerminalError } from '../../domain/errors.ts'

/** For a stored file that is not, to the byte, what was once written. */
export function damaged(why: string, cause?: unknown): TerminalError {
  return new TerminalError('backup_damaged', `The backup's file is damaged: ${why}. It must not be restored.`, {
    hint: 'Take another backup (npm run backup -- list), or the offsite copy of this one.',
    cause,
  })
}
