import { DatabaseError, escapeIdentifier } from 'pg'
import { watchBlockers } from '../../db/migrate/blockers.ts'
import type { Session } from '../../db/migrate/lock.ts'
import { TerminalError } from '../../domain/errors.ts'
import { carryRemovals } from './carry-removals.ts'
import { PREVIOUS, tablesOf } from './target.ts'

/** Each try gives up its place in the queues for locks, so that whoever stands behind it goes on in between. */
const TRIES = 6

/** SQLSTATEs of a lock that was not to be had in time, and of two who wait for each other. */
const LOCKED: ReadonlySet<string> = new Set(['55P03', '40P01'])

/**
 * Locks all tables of the schema, so that nobody reads or writes them until the transaction's end.
 * @throws TerminalError `restore_locked`, naming who holds them
 */
export async function lockSchema(session: Session): Promise<void> {
  const tables = (await tablesOf(session.client)).map((name) => `taskforce.${escapeIdentifier(name)}`)
  if (tables.length === 0) return
  await watchBlockers(session, async (seen) => {
    for (let attempt = 1; ; attempt++) {
      await session.client.query('savepoint unlocked')
      try {
        await session.client.query(`lock table ${tables.join(', ')} in access exclusive mode`)
        return
      } catch (error) {
        if (!(error instanceof DatabaseError && LOCKED.has(error.code ?? ''))) throw error
        if (attempt === TRIES) throw locked(error, seen())
        await session.client.query('rollback to savepoint unlocked')
      }
    }
  })
}

function locked(cause: DatabaseError, blockers: { pid: number; text: string }[]): TerminalError {
  const who = blockers.length === 0 ? 'Another session' : blockers.map(({ text }) => text).join(' and ')
  const end = blockers.map(({ pid }) => `select pg_terminate_backend(${pid})`).join('; ')
  return new TerminalError('restore_locked', `${who} holds a lock on the tables. Nothing was changed.`, {
    cause,
    hint: `Try again when it is done${end && `, or end it with: ${end}`}.`,
  })
}

/** Moves the schema out of the way, in the open transaction, and answers its new name: of now, or the next second that is free. */
export async function moveAway({ client }: Pick<Session, 'client'>): Promise<string> {
  const { rows } = await client.query<{ name: string }>(
    `select name from (
       select $1 || to_char((clock_timestamp() + make_interval(secs => n)) at time zone 'UTC', 'YYYYMMDD_HH24MISS') as name
       from generate_series(0, 3600) n) names
     where to_regnamespace(name) is null order by name limit 1`,
    [PREVIOUS],
  )
  const name = rows[0]?.name ?? ''
  await client.query(`alter schema taskforce rename to ${escapeIdentifier(name)}`)
  return name
}

/**
 * Brings over what is about the deployment and not about its missions: what was kept in order since the backup (readiness
 * looks at the newest backups and drills), which tenants were removed since, and a drain that somebody has set. In the open
 * transaction; what only one of the two schemas has stays where it is. Answers how many tenants are to be removed again.
 */
export async function carryOver({ client }: Pick<Session, 'client'>, previous: string): Promise<number> {
  const old = escapeIdentifier(previous)
  const has = async (what: string) => {
    const { rows } = await client.query<{ both: boolean }>(
      `select count(*) = 2 as both from information_schema.columns
       where table_schema in ('taskforce', $1) and table_name || '.' || column_name = $2`,
      [previous, what],
    )
    return rows[0]?.both === true
  }
  if (await has('upkeep.report')) {
    await client.query(`insert into taskforce.upkeep (id, kind, backup, started_at, ended_at, ok, report)
      select id, kind, backup, started_at, ended_at, ok, report from ${old}.upkeep on conflict do nothing`)
  }
  const removals = (await has('tenants.deleted_at')) ? await carryRemovals(client, previous) : 0
  if (await has('facts.value')) {
    await client.query(`insert into taskforce.facts (name, at, value)
      select name, at, value from ${old}.facts where name = 'drain'
      on conflict (name) do update set at = excluded.at, value = excluded.value`)
  }
  return removals
}
