import { DatabaseError } from 'pg'
import { isConnectionError } from '../../db/pg-errors.ts'
import { TerminalError } from '../../domain/errors.ts'

const NOT_ALLOWED = '42501'

/** What went wrong up to the commit, in words: nothing was changed. What is no failure of the database stays as it is. */
export function explained(error: unknown): unknown {
  if (error instanceof TerminalError) return error
  if (isConnectionError(error)) {
    const why = error instanceof Error ? error.message : String(error)
    return new TerminalError(
      'restore_cut_off',
      `The connection to the database ended (${why}). The restore is in it whole or not at all.`,
      { hint: 'Look at the database, and run it again: it tells first what is there.', cause: error },
    )
  }
  if (!(error instanceof DatabaseError)) return error
  const hint =
    error.code === NOT_ALLOWED
      ? 'Connect as the login that migrates: it owns the schema, by way of taskforce_owner, and may create one in the database.'
      : undefined
  const message = `The database refuses the restore: ${error.message} [${error.code ?? 'no code'}]. Nothing was changed.`
  return new TerminalError('restore_failed', message, { hint, cause: error })
}

/** What went wrong after the commit. */
export function unfinished(error: unknown): TerminalError {
  const why = error instanceof Error ? error.message : String(error)
  return new TerminalError(
    'restore_unfinished',
    `The backup is restored, but not brought to this build's schema: ${why}`,
    {
      hint: 'Run "npm run migrate -- up", then "npm run migrate -- check". Nothing has to be restored again.',
      cause: error,
    },
  )
}
