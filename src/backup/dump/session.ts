import { DatabaseError, escapeIdentifier, type Client } from 'pg'
import { hasMembershipOptions } from '../../db/roles.ts'
import { TerminalError } from '../../domain/errors.ts'

export type Isolation = 'repeatable read' | 'read committed'

/** From 17 on there is a limit for whole transactions, which would end a dump in its middle. */
const TRANSACTION_TIMEOUT = 170_000

/**
 * What rows look like as text must not depend on the login's, the database's or the server's settings.
 *
 * `row_security = off`, pg_dump's way of failing rather than leaving rows out, can't be had: it makes every query on a table
 * with policies fail for a role without BYPASSRLS, also where the policy lets every row through. The role reads by policies
 * `using (true)`; the inventory refuses a table without one.
 */
const ROW_FORM = `
set local client_encoding = 'UTF8';
set local standard_conforming_strings = on;
set local datestyle = 'iso, ymd';
set local intervalstyle = 'postgres';
set local extra_float_digits = 3;
set local timezone = 'UTC';
set local bytea_output = 'hex';
set local xmloption = content;
set local search_path = '';
set local synchronize_seqscans = off;`

/** As `set local`: none of it outlives the transaction. */
export async function setRowForm(client: Pick<Client, 'query'>): Promise<void> {
  await client.query(ROW_FORM)
}

/**
 * Begins a transaction that reads as `taskforce_backup` and is not cut off by limits of the login's. No snapshot is taken yet:
 * none of these statements needs one. Throws TerminalError `backup_not_allowed` with the SQL to run.
 */
export async function beginDump(client: Client, isolation: Isolation, lockMs: number): Promise<void> {
  const { rows } = await client.query<{ version: number }>(
    `select current_setting('server_version_num')::int as version`,
  )
  await client.query(`begin isolation level ${isolation} read only`)
  try {
    await client.query('set local role taskforce_backup')
  } catch (cause) {
    await client.query('rollback')
    throw cause instanceof DatabaseError ? await notAllowed(client, cause) : cause
  }
  await client.query(`set local statement_timeout = 0; set local idle_in_transaction_session_timeout = 0;
    set local lock_timeout = ${lockMs}`)
  if ((rows[0]?.version ?? 0) >= TRANSACTION_TIMEOUT) await client.query('set local transaction_timeout = 0')
  await setRowForm(client)
}

async function notAllowed(client: Client, cause: DatabaseError): Promise<TerminalError> {
  const { rows } = await client.query<{ name: string }>('select session_user as name')
  const login = rows[0]?.name ?? ''
  return new TerminalError(
    'backup_not_allowed',
    `The login ${login} may not read as taskforce_backup (${cause.message}), so there is no backup. Have an administrator run this once: ${await grantSql(client, login)}`,
    { hint: 'Where the role itself is missing, npm run migrate -- up makes it.', cause },
  )
}

/** As grantRole (src/db/roles.ts) does it: a login that inherited the right could read every tenant's rows all the time. */
async function grantSql(client: Client, login: string): Promise<string> {
  const name = escapeIdentifier(login)
  if (await hasMembershipOptions(client)) return `grant taskforce_backup to ${name} with inherit false, set true;`
  const between = escapeIdentifier(`${login}_as_taskforce_backup`)
  return `create role ${between} nologin noinherit nobypassrls; grant taskforce_backup to ${between}; grant ${between} to ${name};`
}
