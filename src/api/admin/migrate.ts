import type { Client } from 'pg'
import { z } from 'zod'
import type { BackupContext } from '../../backup/context.ts'
import { liveLeases } from '../../backup/restore/target.ts'
import { buildId } from '../../build-id.ts'
import { prepareEntraLogins, type PreparedLogin } from '../../db/entra-logins.ts'
import { checkDatabase } from '../../db/migrate/check.ts'
import { withClient } from '../../db/migrate/connect.ts'
import { migrateUp, type UpOptions } from '../../db/migrate/up.ts'
import { clearDrain, hasDrains, readDrain, setDrain } from '../../db/queries/drain.ts'
import { CODE_REVISION } from '../../db/schema-revision.ts'
import { TerminalError } from '../../domain/errors.ts'
import { Refusal } from '../../missions/refusal.ts'
import { version } from '../../version.ts'
import { json, type ApiRequest, type ApiResponse } from '../http.ts'
import { parse, text } from '../parse.ts'
import { readJson } from '../read-body.ts'

/** As long as a deployment may take; it renews the drain where it needs longer. */
const LONGEST_DRAIN_S = 3_600

const loginsSchema = z
  .array(z.strictObject({ name: text.min(1).max(63), principalId: z.guid('must be an object id, which is a GUID') }))
  .max(10)
  .default([])
const by = text.min(1).max(100)

const requestSchema = z.discriminatedUnion('action', [
  z.strictObject({ action: z.literal('status') }),
  z.strictObject({ action: z.literal('expand'), codeRevision: z.int().min(0), logins: loginsSchema }),
  z.strictObject({ action: z.literal('all'), logins: loginsSchema }),
  z.strictObject({
    action: z.literal('drain'),
    by,
    reason: text.min(1).max(500),
    seconds: z.number().positive().max(LONGEST_DRAIN_S),
  }),
  z.strictObject({ action: z.literal('resume'), by }),
])

type MigrateRequest = z.infer<typeof requestSchema>
type Database = Pick<BackupContext, 'databaseUrl' | 'connect'>

/**
 * Migrates, drains and resumes, and answers where the database stands then. The platform ends an answer after 230 s while the work
 * goes on: whoever repeats the request waits for its lock and gets what is there. @throws Refusal
 */
export async function migrate(request: ApiRequest, database: Database): Promise<ApiResponse> {
  const wanted = parse(requestSchema, (await readJson(request)).value)
  try {
    const done = await act(wanted, database)
    return json(200, { ...(await standing(database)), ...done, version, codeRevision: CODE_REVISION, build: buildId })
  } catch (error) {
    throw error instanceof TerminalError ? refusalOf(error) : error
  }
}

async function act(wanted: MigrateRequest, database: Database): Promise<{ done?: string[]; logins?: PreparedLogin[] }> {
  switch (wanted.action) {
    case 'status':
      return {}
    case 'expand':
      return bringUp(database, wanted.logins, { codeRevision: wanted.codeRevision })
    case 'all':
      return bringUp(database, wanted.logins, {})
    case 'drain':
      return inDrain(database, wanted.by, (client) => setDrain(client, wanted))
    case 'resume':
    default:
      return inDrain(database, wanted.by, clearDrain)
  }
}

async function bringUp(
  { databaseUrl, connect }: Database,
  logins: z.infer<typeof loginsSchema>,
  options: UpOptions,
): Promise<{ done: string[]; logins: PreparedLogin[] }> {
  const prepared = logins.length === 0 ? [] : await prepareEntraLogins(databaseUrl, connect, logins)
  const { done } = await migrateUp(databaseUrl, { ...options, connect })
  return { done, logins: prepared }
}

/** A drain that somebody else set stays theirs; a database from before there were drains has nobody to stop. */
async function inDrain(
  { databaseUrl, connect }: Database,
  mine: string,
  change: (client: Client) => Promise<void>,
): Promise<object> {
  const work = async (client: Client) => {
    if (!(await hasDrains(client))) return {}
    const drain = await readDrain(client)
    if (drain === undefined || drain.by === mine) await change(client)
    return {}
  }
  return withClient(databaseUrl, work, connect)
}

/** The schema and how it differs from its revision's, the drain that is on, and how many missions are held by instances that live. */
async function standing({ databaseUrl, connect }: Database): Promise<object> {
  const schema = await checkDatabase(databaseUrl, { connect })
  const look = async (client: Client) => ({
    drain: (await hasDrains(client)) ? ((await readDrain(client)) ?? null) : null,
    held: (await liveLeases(client)).reduce((sum, { missions }) => sum + missions, 0),
  })
  return { ...schema, ...(await withClient(databaseUrl, look, connect)) }
}

/** What may pass by waiting is asked again. */
const PASSING: ReadonlySet<string> = new Set(['migrate_busy', 'migration_locked', 'database_unreachable'])

function refusalOf({ code, message, hint }: TerminalError): Refusal {
  const detail = [message, hint].filter((part) => part !== undefined).join(' ')
  return new Refusal(PASSING.has(code) ? 'not_ready' : 'illegal_state', `${code}: ${detail}`)
}
