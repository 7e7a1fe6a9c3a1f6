import { randomBytes } from 'node:crypto'
import { DatabaseError, escapeIdentifier, type Client } from 'pg'
import { normaliseUrl } from '../../db/connection.ts'
import { withClient, type ConnectOptions } from '../../db/migrate/connect.ts'
import { TerminalError } from '../../domain/errors.ts'

const PREFIX = 'taskforce_drill_'

/** Of some 5 s each, which is how long Postgres itself waits for others to leave. */
const DROP_TRIES = 6

/** SQLSTATE of "others are in it". */
const IN_USE = '55006'

/** A drill of 10 GB takes minutes; what is there after this long was left by one that was killed. */
const LEFT_OVER = '1 day'

export interface ScratchDatabase {
  name: string
  url: string
  /** Answers why it is still there, where it is; a drill of another day tries again. Never throws. */
  drop(): Promise<string | undefined>
}

/**
 * Makes a database that belongs to the login and to nobody else, and drops those that earlier drills left.
 * @param adminUrl of a login that may make databases, and `connect` how it signs in
 * @throws TerminalError `drill_not_allowed` with the SQL to run
 */
export async function createScratchDatabase(adminUrl: string, connect: ConnectOptions = {}): Promise<ScratchDatabase> {
  const make = async (client: Client): Promise<string> => {
    await client.query('set statement_timeout = 0')
    await dropLeftOver(client)
    const { rows } = await client.query<{ now: string }>(
      `select to_char(now() at time zone 'UTC', 'YYYYMMDDHH24MISS') as now`,
    )
    const scratch = `${PREFIX}${rows[0]?.now ?? ''}_${randomBytes(3).toString('hex')}`
    await client
      .query(`create database ${escapeIdentifier(scratch)} template template0`)
      .catch(async (error: unknown) => {
        throw await explained(client, error)
      })
    return scratch
  }
  const name = await withClient(adminUrl, make, connect)
  const url = new URL(normaliseUrl(adminUrl))
  url.pathname = `/${name}`
  return {
    name,
    url: url.href,
    drop: () =>
      withClient(adminUrl, (client) => dropDatabase(client, name), connect).then(
        () => undefined,
        (error: unknown) => `${name} is still there (${error instanceof Error ? error.message : String(error)})`,
      ),
  }
}

async function dropLeftOver(client: Client): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    `select datname as name from pg_catalog.pg_database
     where pg_catalog.pg_get_userbyid(datdba) = current_user
       and substring(datname from $1) < to_char((now() - $2::interval) at time zone 'UTC', 'YYYYMMDDHH24MISS')`,
    [`^${PREFIX}(\\d{14})_[0-9a-f]{6}$`, LEFT_OVER],
  )
  // One that another drill drops at this moment is none of ours.
  for (const { name } of rows) await dropDatabase(client, name).catch(() => undefined)
}

/**
 * Not `with (force)`: that fails at once where the login may not end somebody's session, and of a table that was filled just
 * now that is an autovacuum worker in five drills of six of 300 MB. Without it Postgres asks such a worker to stop, and waits.
 */
async function dropDatabase(client: Client, name: string): Promise<void> {
  await client.query('set statement_timeout = 0')
  for (let attempt = 1; ; attempt++) {
    // Those of a drill that was killed.
    await client.query(
      `select pg_catalog.pg_terminate_backend(pid) from pg_catalog.pg_stat_activity
       where datname = $1 and usename = current_user`,
      [name],
    )
    try {
      await client.query(`drop database if exists ${escapeIdentifier(name)}`)
      return
    } catch (error) {
      if (attempt === DROP_TRIES || !(error instanceof DatabaseError && error.code === IN_USE)) throw error
    }
  }
}

async function explained(client: Client, error: unknown): Promise<unknown> {
  if (!(error instanceof DatabaseError && error.code === '42501')) return error
  const { rows } = await client.query<{ name: string }>('select quote_ident(current_user) as name')
  const name = rows[0]?.name ?? ''
  return new TerminalError(
    'drill_not_allowed',
    `The login ${name} may not make a database, so no drill can restore into one. Have an administrator run this once: alter role ${name} createdb;`,
    { cause: error },
  )
}
