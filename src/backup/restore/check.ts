import type { Client } from 'pg'
import { qualified } from '../plain/quote.ts'
import type { Backup } from './load-backup.ts'
import { tablesOf } from './target.ts'

/** Looks at a restored database: words where something is wrong, or why it could not be looked at. */
export type Check = (client: Client, backup: Backup) => Promise<string | { notLookedAt: string } | undefined>

/** Runs `work` in a transaction that only reads. The login owns the tables, and from `openToOwner` on sees all their rows. */
export async function asReader<T>(client: Client, work: () => Promise<T>): Promise<T> {
  await client.query(`begin isolation level repeatable read read only;
    set local statement_timeout = 0; set local search_path = ''`)
  try {
    return await work()
  } finally {
    await client.query('rollback')
  }
}

/**
 * Lifts the policies that are forced upon owners: what reads rows then does not depend on the grants and policies of any role,
 * which a table that somebody added by hand lacks.
 */
export async function openToOwner(client: Client): Promise<void> {
  for (const name of await tablesOf(client)) {
    await client.query(`alter table ${qualified(name)} no force row level security`)
  }
}

/** The first few of many, for people; undefined where there are none. */
export function firstOf(all: readonly string[]): string | undefined {
  if (all.length === 0) return undefined
  const more = all.length > 5 ? `, and ${all.length - 5} more` : ''
  return `${all.slice(0, 5).join(', ')}${more}`
}
