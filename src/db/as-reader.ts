import { DatabaseError, escapeIdentifier, type Client } from 'pg'
import { TerminalError } from '../domain/errors.ts'
import type { ReaderSession } from './connection.ts'
import { withClient, type ConnectOptions } from './migrate/connect.ts'
import { grantStatements } from './roles.ts'

/** Nobody waits for what this reads, and each statement stands by itself: no lock is kept from one to the next. */
const READ_ONLY = `set default_transaction_read_only = on; set statement_timeout = '30s'; set lock_timeout = '5s'`

/**
 * Runs `work` in a session of its own that reads as the owner of the schema, whose policies let all tenants' rows through: row-level
 * security is forced, so the login alone might see none and say that all is well. Throws TerminalError `migrate_not_allowed` with the SQL
 * for an administrator, and like `withClient`.
 * @param url of a login that migrates, past a pooler
 */
export async function asReader<T>(
  url: string,
  connect: ConnectOptions,
  work: (session: ReaderSession) => Promise<T>,
): Promise<T> {
  const read = async (client: Client) => {
    await client.query('set role taskforce_owner').catch(async (cause: unknown) => {
      throw cause instanceof DatabaseError && cause.code === '42501' ? await notAllowed(client, cause) : cause
    })
    await client.query(READ_ONLY)
    return work(client as Client & ReaderSession)
  }
  return withClient(url, read, connect)
}

async function notAllowed(client: Client, cause: DatabaseError): Promise<TerminalError> {
  const { rows } = await client.query<{ name: string }>('select session_user as name')
  const name = rows[0]?.name ?? ''
  const grants = await grantStatements(client, { role: 'taskforce_owner', to: name, inherit: true })
  return new TerminalError(
    'migrate_not_allowed',
    `The login ${escapeIdentifier(name)} may not read missions as taskforce_owner (${cause.message}). Have an administrator run this once, then try again: ${grants.join('; ')};`,
    { cause },
  )
}
