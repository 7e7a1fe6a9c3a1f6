import { escapeIdentifier, type Client } from 'pg'

/**
 * Marks restored tenants as deleted whose removal was begun or finished in the schema that is replaced, so that retention
 * removes them again. Of a finished one nothing but its row of the upkeep is left, which has to be in `taskforce` by now. A
 * tenant that lives in the replaced schema stays: it was made anew, or somebody wanted it back. In the open transaction; answers
 * how many were marked.
 */
export async function carryRemovals(client: Pick<Client, 'query'>, previous: string): Promise<number> {
  const old = `${escapeIdentifier(previous)}.tenants`
  const begun = await client.query(`update taskforce.tenants t set deleted_at = o.deleted_at from ${old} o
    where o.id = t.id and o.deleted_at is not null and t.deleted_at is null`)
  const finished = await client.query(`
    with removals (id, at) as (
      select report->>'tenantId', ended_at from taskforce.upkeep where kind = 'delete_tenant' and ok
      union all
      select tenant->>'tenantId', ended_at
      from taskforce.upkeep, jsonb_path_query(report, '$.tenants[*] ? (@.done == true)') tenant where kind = 'retain'
    )
    update taskforce.tenants t set deleted_at = r.at
    from (select id, max(at) as at from removals group by id) r
    where r.id = t.id::text and r.at > t.created_at and t.deleted_at is null
      and not exists (select from ${old} o where o.id = t.id)`)
  return (begun.rowCount ?? 0) + (finished.rowCount ?? 0)
}
