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
    update taskforce.tenants t set deleted_at = r.at
    from (select report->>'tenantId' as id, max(ended_at) as at from taskforce.upkeep
      where kind = 'delete_tenant' and ok group by 1) r
    where r.id = t.id::text and r.at > t.created_at and t.deleted_at is null
      and not exists (select from ${old} o where o.id = t.id)`)
  return (begun.rowCount ?? 0) + (finished.rowCount ?? 0)
}
