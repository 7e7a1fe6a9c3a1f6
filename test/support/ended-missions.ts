import { createHash } from 'node:crypto'
import type { World } from './engine.ts'

type Sql = World['sql']

export const OTHER_TENANT = '00000000-0000-7000-8000-0000000000bb'

export async function addTenant(sql: Sql, id = OTHER_TENANT): Promise<string> {
  await sql('insert into taskforce.tenants (id, name) values ($1::uuid, $1::text)', [id])
  return id
}

export interface EndedMissions {
  tenantId: string
  status?: 'completed' | 'failed' | 'cancelled'
  days: number
  count?: number
  events?: number
}

/** Missions that ended so many days ago, with journals of so many events, made in two statements. Gives their ids. */
export async function addEnded(
  sql: Sql,
  { tenantId, status = 'completed', days, count = 1, events = 3 }: EndedMissions,
): Promise<string[]> {
  await sql(
    `insert into taskforce.profiles (tenant_id, hash, name, body) values ($1, 'h', 'old', '{}') on conflict do nothing`,
    [tenantId],
  )
  const rows = await sql<{ id: string }>(
    `insert into taskforce.missions (id, tenant_id, status, goal, profile, profile_hash, summary, created_at, ended_at)
     select gen_random_uuid(), $1, $2, 'Do it', 'old', 'h', jsonb_build_object('lastSeq', $5::int),
       now() - make_interval(days => $3 + 1), now() - make_interval(days => $3) - make_interval(secs => n)
     from generate_series(1, $4) n returning id`,
    [tenantId, status, days, count, events],
  )
  const ids = rows.map(({ id }) => id)
  await sql(
    `insert into taskforce.events (mission_id, seq, epoch, v, type, data, tenant_id)
     select id, seq, 1, 1, case when seq = 1 then 'mission.created' else 'mission.message' end, '{"text": "x"}', $1
     from unnest($2::uuid[]) id, generate_series(1, $3) seq`,
    [tenantId, ids, events],
  )
  return ids
}

/** A file that was stored so long ago. Gives its hash. */
export async function addContent(sql: Sql, tenantId: string, text: string, days: number): Promise<string> {
  const sha256 = createHash('sha256').update(text).digest('hex')
  await sql(
    `insert into taskforce.contents (tenant_id, sha256, bytes, created_at)
     values ($1, $2, $3, now() - make_interval(days => $4))`,
    [tenantId, sha256, Buffer.from(text), days],
  )
  return sha256
}

/** Missions whose journals are not whole, and what is there of missions that are not. */
export async function brokenMissions(sql: Sql): Promise<object[]> {
  return sql(`
    select m.id, max(e.seq) as last, count(e.seq) as events
    from taskforce.missions m left join taskforce.events e on e.mission_id = m.id
    where m.ended_at is not null
    group by m.id having count(e.seq) = 0 or max(e.seq) <> count(e.seq) or max(e.seq) <> (m.summary->>'lastSeq')::int
    union all
    select e.mission_id, null, count(*) from taskforce.events e
    where not exists (select from taskforce.missions m where m.id = e.mission_id) group by e.mission_id`)
}

/** How many rows each table has of a tenant. */
export async function rowsOf(sql: Sql, tenantId: string): Promise<Record<string, number>> {
  const tables = ['missions', 'events', 'contents', 'profiles', 'idempotency_keys', 'deltas', 'watched', 'retention']
  const counts = tables.map(
    (table) => `(select count(*)::int from taskforce.${table} where tenant_id = $1) as ${table}`,
  )
  const [row] = await sql<Record<string, number>>(`select ${counts.join(', ')}`, [tenantId])
  return row ?? {}
}
