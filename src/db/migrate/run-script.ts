import { DatabaseError } from 'pg'
import { TerminalError } from '../../domain/errors.ts'
import { type Blocker, watchBlockers } from './blockers.ts'
import type { Session } from './lock.ts'
import type { Script } from './read-migrations.ts'
import { splitStatements } from './split-statements.ts'

const LOCK_NOT_AVAILABLE = '55P03'

/**
 * Runs one file: whole inside the caller's transaction, or statement by statement where it says so. Throws TerminalError
 * `migration_empty`, `migration_locked` (naming who holds the lock) or `migration_failed` (naming the line).
 */
export async function runScript(session: Session, script: Script): Promise<void> {
  const statements = splitStatements(script.sql)
  if (statements.length === 0) {
    const advice = script.file.endsWith('.up.sql') ? 'write it first' : 'so it was not meant to be undone'
    throw new TerminalError('migration_empty', `${script.file} holds no statement: ${advice}.`)
  }
  let done = 0
  await watchBlockers(session, async (seen) => {
    try {
      for (const part of script.transaction ? [script.sql] : statements) {
        await session.client.query(part)
        done += 1
      }
    } catch (error) {
      const state = script.transaction ? 'Nothing was changed.' : halfWay(done, statements.length)
      throw failure(session, script, error, state, seen())
    }
  })
}

function halfWay(done: number, all: number): string {
  return `${done} of its ${all} statements are done and stay. An index that "create index concurrently" could not finish is there and invalid: drop it before the next try.`
}

function failure(session: Session, script: Script, cause: unknown, state: string, blockers: Blocker[]): unknown {
  if (!(cause instanceof DatabaseError)) return connectionLost(script, cause)
  if (cause.code !== LOCK_NOT_AVAILABLE) {
    const line = script.transaction ? lineOf(script.sql, cause.position) : ''
    const hint = cause.hint === undefined ? '' : ` (${cause.hint})`
    const message = `${script.file} failed${line}: ${cause.message}${hint} [${cause.code}]. ${state}`
    return new TerminalError('migration_failed', message, { cause })
  }
  const who = blockers.length === 0 ? 'another session' : blockers.map(({ text }) => text).join(' and ')
  const end = blockers.map(({ pid }) => `select pg_terminate_backend(${pid})`).join('; ')
  return new TerminalError(
    'migration_locked',
    `${script.file} waited ${session.lockTimeoutMs / 1000} s for a lock that ${who} holds, and gave up so as not to stop everybody else. ${state}`,
    {
      cause,
      hint: `Try again when it is done, wait longer with --lock-timeout SECONDS${end && `, or end it with: ${end}`}.`,
    },
  )
}

function connectionLost({ file, transaction }: Script, cause: unknown): TerminalError {
  const state = transaction ? 'It is in the database whole or not at all' : 'Some of its statements may be done'
  const why = cause instanceof Error ? cause.message : String(cause)
  return new TerminalError(
    'migration_failed',
    `The connection was lost during ${file} (${why}). ${state}; "npm run migrate -- current" tells, and the same command goes on.`,
    { cause },
  )
}

/** `position` counts characters from 1; many errors at run time have none, and then the statement is unknown. */
function lineOf(sql: string, position: string | undefined): string {
  return position === undefined ? '' : ` at line ${sql.slice(0, Number(position) - 1).split('\n').length}`
}
