import type { ClientBase, Pool } from 'pg'

type Queryable = Pick<ClientBase | Pool, 'query'>

export type UpkeepKind = 'backup' | 'drill' | 'prune' | 'retain' | 'restore' | 'delete_tenant'

/** One run of what keeps a deployment in order: what it did, how much, and why. */
export interface UpkeepRun {
  id: string
  kind: UpkeepKind
  /** The backup that it was about. */
  backup: string | undefined
  startedAt: Date
  ok: boolean
  report: object
}

/**
 * Its end is the database's now. Nothing where the schema is of before revision 3, which has no place for it: a careful operator
 * makes a backup before the migration.
 */
export async function recordUpkeep(
  db: Queryable,
  { id, kind, backup, startedAt, ok, report }: UpkeepRun,
): Promise<void> {
  if (!(await hasUpkeep(db))) return
  await db.query({
    name: 'record_upkeep',
    text: `
      insert into taskforce.upkeep (id, kind, backup, started_at, ok, report) values ($1, $2, $3, $4, $5, $6)`,
    values: [id, kind, backup ?? null, startedAt, ok, JSON.stringify(report)],
  })
}

async function hasUpkeep(db: Queryable): Promise<boolean> {
  const { rows } = await db.query<{ there: boolean }>({
    name: 'has_upkeep',
    text: `select pg_catalog.to_regclass('taskforce.upkeep') is not null as there`,
  })
  return rows[0]?.there === true
}

export interface UpkeepAge {
  kind: UpkeepKind
  /** Milliseconds since the newest run of the kind, and since the newest good one; undefined: there is none. */
  lastMs: number | undefined
  lastGoodMs: number | undefined
  /** The newest run's report. */
  report: unknown
}

export interface UpkeepAges {
  runs: UpkeepAge[]
  /** Age of the schema, in which none can have been. */
  schemaMs: number
  /** What was wrong with the backups' store when somebody looked at it within a day. */
  storeWorry: string | undefined
}

/** Remembers what a look at the backups' store found, for readiness, which does not look by itself. */
export async function recordStoreWorry(db: Queryable, why: string | undefined): Promise<void> {
  await db.query({
    name: 'record_store_worry',
    text: `
      insert into taskforce.facts (name, at, value) values ('backup_store', now(), jsonb_build_object('why', $1::text))
      on conflict (name) do update set at = excluded.at, value = excluded.value`,
    values: [why ?? null],
  })
}

/** How long ago each kind of run was, by the database's clock. */
export async function upkeepAges(db: Queryable): Promise<UpkeepAges> {
  const { rows } = await db.query<{
    kind: UpkeepKind | null
    last: string | null
    last_good: string | null
    report: unknown
    schema_ms: string
    store_worry: string | null
  }>({
    name: 'upkeep_ages',
    text: `
      with latest as (
        select distinct on (kind) kind, ended_at, report from taskforce.upkeep order by kind, ended_at desc
      )
      select l.kind, extract(epoch from now() - l.ended_at) * 1000 as last, l.report,
        extract(epoch from now() - (
          select max(g.ended_at) from taskforce.upkeep g where g.kind = l.kind and g.ok)) * 1000 as last_good,
        extract(epoch from now() - m.applied_at) * 1000 as schema_ms,
        (select f.value->>'why' from taskforce.facts f
         where f.name = 'backup_store' and f.at > now() - interval '1 day') as store_worry
      from (select applied_at from taskforce.migrations where revision = 3) m left join latest l on true`,
  })
  return {
    schemaMs: Number(rows[0]?.schema_ms ?? 0),
    storeWorry: rows[0]?.store_worry ?? undefined,
    runs: rows.flatMap(({ kind, last, last_good, report }) =>
      kind === null ? [] : [{ kind, lastMs: ms(last), lastGoodMs: ms(last_good), report }],
    ),
  }
}

function ms(text: string | null): number | undefined {
  return text === null ? undefined : Number(text)
}
