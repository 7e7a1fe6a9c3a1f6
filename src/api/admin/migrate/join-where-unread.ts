import { joinOwnerIfAllowed } from '../../../db/migrate/bootstrap.ts'
import { withClient } from '../../../db/migrate/connect.ts'
import { readApplied } from '../../../db/migrate/status.ts'
import { TerminalError } from '../../../domain/errors.ts'
import type { Database } from './request.ts'

/**
 * On a server that Azure restored, the memberships are those of before: a login that may not read the schema becomes a member of
 * its owner there, where it may. Writes nothing otherwise. Throws like `withClient`.
 */
export async function joinWhereUnread({ databaseUrl, connect }: Database): Promise<void> {
  try {
    await withClient(databaseUrl, readApplied, connect)
  } catch (error) {
    if (!(error instanceof TerminalError && error.code === 'migrate_not_allowed')) throw error
    await joinOwnerIfAllowed(databaseUrl, connect)
  }
}
