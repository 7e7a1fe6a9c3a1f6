import { DatabaseError, escapeIdentifier, type Client } from 'pg'
import { readGeneration } from '../../db/queries/generation.ts'

/** What a restore would go into. */
export interface Target {
  /** For people: host, port and database, without a password. */
  place: string
  /** Whether there is a schema `taskforce` at all. */
  exists: boolean
  /** Nothing was ever kept in it: there is no schema, or one that was only migrated. */
  isEmpty: boolean
  /** The newest migration; 0 where there is none. */
  revision: number
  /** How often it was restored. */
  generation: number
  /** What earlier restores moved out of the way, oldest first. */
  previous: PreviousSchema[]
}

/** A schema that a restore moved out of the way. It is kept until somebody drops it. */
export interface PreviousSchema {
  schema: string
  dropSql: string
}

/** An instance that lives and owns missions. */
export interface LiveLease {
  instance: string
  host: string
  missions: number
}

/** Says nothing about what was entrusted to the deployment. */
const BOOKKEEPING: ReadonlySet<string> = new Set([
  'migrations',
  'facts',
  'instances',
  'deltas',
  'watched',
  'tenants',
  // A restore that failed is recorded there, and must not keep the next try out.
  'upkeep',
])

export const PREVIOUS = 'taskforce_before_'

/** Reads with the rights of a member of `taskforce_owner`. */
export async function readTarget(client: Client): Promise<Target> {
  const tables = await tablesOf(client)
  const { rows } = await client.query<{ exists: boolean; previous: string[] }>(
    `select pg_catalog.to_regnamespace('taskforce') is not null as exists,
       array(select nspname::text from pg_catalog.pg_namespace where starts_with(nspname, $1) order by nspname) as previous`,
    [PREVIOUS],
  )
  const { exists = false, previous = [] } = rows[0] ?? {}
  return {
    place: `${client.host}:${client.port}/${client.database ?? ''}`,
    exists,
    isEmpty: await holdsNothing(client, tables),
    revision: tables.includes('migrations') ? await readNumber(client, REVISION) : 0,
    generation: tables.includes('facts') ? await readGeneration(client) : 0,
    previous: previous.map(previousSchema),
  }
}

/** The same before this login was made a member; undefined where it may not look yet. */
export async function peekTarget(client: Client): Promise<Target | undefined> {
  try {
    return await readTarget(client)
  } catch (error) {
    if (error instanceof DatabaseError && error.code === NOT_ALLOWED) return undefined
    throw error
  }
}

const NOT_ALLOWED = '42501'

const REVISION = 'select coalesce(max(revision), 0) as n from taskforce.migrations'

async function readNumber(client: Pick<Client, 'query'>, sql: string): Promise<number> {
  const { rows } = await client.query<{ n: number }>(sql)
  return rows[0]?.n ?? 0
}

export function previousSchema(schema: string): PreviousSchema {
  return { schema, dropSql: `drop schema ${escapeIdentifier(schema)} cascade;` }
}

/** Names of the schema's tables. */
export async function tablesOf(client: Pick<Client, 'query'>): Promise<string[]> {
  const { rows } = await client.query<{ relname: string }>(
    `select relname::text from pg_catalog.pg_class
     where relnamespace = pg_catalog.to_regnamespace('taskforce') and relkind in ('r', 'p') order by relname`,
  )
  return rows.map(({ relname }) => relname)
}

async function holdsNothing(client: Client, tables: readonly string[]): Promise<boolean> {
  const looks = tables.filter((name) => !BOOKKEEPING.has(name)).map(anyRow)
  // One tenant comes with the first migration.
  if (tables.includes('tenants')) looks.push('(select count(*) from taskforce.tenants) > 1')
  if (looks.length === 0) return true
  const { rows } = await client.query<{ any: boolean }>(`select ${looks.join(' or ')} as any`)
  return rows[0]?.any !== true
}

function anyRow(table: string): string {
  return `exists (select from taskforce.${escapeIdentifier(table)})`
}

/** Instances that live, by the database's clock, and own missions. */
export async function liveLeases(client: Pick<Client, 'query'>): Promise<LiveLease[]> {
  const there = await client.query<{ there: boolean }>(
    `select pg_catalog.to_regclass('taskforce.missions') is not null
       and pg_catalog.to_regclass('taskforce.instances') is not null as there`,
  )
  if (there.rows[0]?.there !== true) return []
  const { rows } = await client.query<LiveLease>(`
    select i.id as instance, i.host, count(*)::int as missions
    from taskforce.missions m join taskforce.instances i on i.id = m.owner
    where i.alive_until > clock_timestamp() group by i.id, i.host order by i.id`)
  return rows
}
