import type { Client } from 'pg'
import { TerminalError } from '../../domain/errors.ts'
import { normaliseUrl, SignedClient } from '../connection.ts'

const CONNECT_MS = 10_000

export interface ConnectOptions {
  /** Gives the password (a token of Entra ID); absent: the one in the URL. */
  password?: (() => Promise<string>) | undefined
  /** As the server lists it. */
  name?: string
}

/**
 * Runs `work` with one connection of its own and closes it. Throws TerminalError `database_unreachable` or
 * `database_refused`, with what to do and without the password, where there is no connection to be had.
 */
export async function withClient<T>(
  url: string,
  work: (client: Client) => Promise<T>,
  options: ConnectOptions = {},
): Promise<T> {
  const client = createClient(url, options)
  // The query under way gets the error as well; without a listener the process would end before it can say so.
  client.on('error', () => undefined)
  try {
    await client.connect().catch((error: unknown) => {
      throw connectionFailure(client, error)
    })
    return await work(client)
  } finally {
    await client.end().catch(() => undefined)
  }
}

function createClient(url: string, { password, name = 'taskforce-migrate' }: ConnectOptions): Client {
  const connectionString = normaliseUrl(url)
  const protocol = URL.parse(connectionString)?.protocol
  if (protocol !== 'postgres:' && protocol !== 'postgresql:') {
    throw new TerminalError(
      'database_url_wrong',
      'The database URL is none of Postgres. It looks like postgresql://USER:PASSWORD@HOST:5432/DATABASE, with special characters of the password percent-encoded.',
    )
  }
  return new SignedClient({
    connectionString,
    connectionTimeoutMillis: CONNECT_MS,
    keepAlive: true,
    application_name: name,
    ...(password === undefined ? {} : { password }),
  })
}

function connectionFailure({ host, port, user = '', database = '' }: Client, cause: unknown): TerminalError {
  const place = `${host}:${port}`
  const refused = (message: string) => new TerminalError('database_refused', message, { cause })
  const unreachable = (message: string) => new TerminalError('database_unreachable', message, { cause })
  switch (codeOf(cause)) {
    case '28P01':
      return refused(`${place} does not take the password of user ${user}: correct it in the database URL.`)
    case '28000':
      return refused(
        `${place} does not let user ${user} in (${messageOf(cause)}): use another user or have it allowed.`,
      )
    case '3D000':
      return refused(`${place} has no database ${database}: create it (create database "${database}" owner "${user}").`)
    case '53300':
      return refused(`${place} has no connection left: stop something that uses it, or raise max_connections.`)
    case 'ECONNREFUSED':
      return unreachable(
        `Nothing listens at ${place}: start Postgres there (npm start brings one along), or correct the database URL.`,
      )
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return unreachable(`There is no host ${host}: correct the database URL, or look at the network.`)
    case undefined:
    default:
      return unreachable(`No connection to ${place}, database ${database}, as ${user}: ${messageOf(cause)}.`)
  }
}

function codeOf(error: unknown): string | undefined {
  // A name with several addresses fails with one error for each.
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error
  return first instanceof Error && 'code' in first ? String(first.code) : undefined
}

function messageOf(error: unknown): string {
  return error instanceof Error && error.message !== '' ? error.message : String(codeOf(error))
}
