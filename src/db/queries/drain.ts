import type { ClientBase, Pool } from 'pg'

type Queryable = Pick<ClientBase | Pool, 'query'>

/** Nothing moves and nothing new is taken, so that the deployment can be restored, moved or repaired. */
export interface Drain {
  /** Who wants it: a person, or the command that set it. */
  by: string
  reason: string
  /** It is over then, whoever forgot it; undefined: when somebody clears it. */
  until: Date | undefined
}

/**
 * Whether the deployment drains, by the database's clock: one row by its key. Part of the statements that begin anything (claims,
 * new missions, the sweep), so that nothing can begin behind one that is committed.
 */
export const DRAINING = `exists (
  select from taskforce.facts f
  where f.name = 'drain' and f.value->>'on' = 'true' and coalesce((f.value->>'until')::timestamptz > now(), true))`

/** Whether the schema is one that knows of drains; otherwise there is nobody to stop. */
export async function hasDrains(db: Queryable): Promise<boolean> {
  const { rows } = await db.query<{ there: boolean }>(
    `select pg_catalog.to_regclass('taskforce.facts') is not null as there`,
  )
  return rows[0]?.there === true
}

/** Sets the drain, or another one in its place. @param seconds how long it lasts at most; absent: until it is cleared */
export async function setDrain(
  db: Queryable,
  { by, reason, seconds }: { by: string; reason: string; seconds?: number },
): Promise<void> {
  await db.query({
    name: 'set_drain',
    text: `
      insert into taskforce.facts (name, at, value)
      values ('drain', clock_timestamp(), jsonb_strip_nulls(jsonb_build_object('on', true, 'by', $1::text, 'reason', $2::text,
        'until', to_char((clock_timestamp() + make_interval(secs => $3::float8)) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))))
      on conflict (name) do update set at = excluded.at, value = excluded.value`,
    values: [by, reason, seconds ?? null],
  })
}

/** Ends the drain, if there is one. Missions go on with the next sweep. */
export async function clearDrain(db: Queryable): Promise<void> {
  await db.query({
    name: 'clear_drain',
    text: `update taskforce.facts set at = clock_timestamp(), value = '{"on": false}' where name = 'drain'`,
  })
}

/** The drain that is on now. */
export async function readDrain(db: Queryable): Promise<Drain | undefined> {
  const { rows } = await db.query<{ by: string | null; reason: string | null; until: Date | null }>({
    name: 'read_drain',
    text: `
      select f.value->>'by' as by, f.value->>'reason' as reason, (f.value->>'until')::timestamptz as until
      from taskforce.facts f where f.name = 'drain' and ${DRAINING}`,
  })
  const [row] = rows
  return row && { by: row.by ?? 'somebody', reason: row.reason ?? '', until: row.until ?? undefined }
}
