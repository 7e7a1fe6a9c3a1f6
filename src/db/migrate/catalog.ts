import type { ClientBase } from 'pg'
import { SCHEMA_ROLES } from '../roles.ts'

/** Relations of the schema. PG 18 lists not-null constraints as well (contype 'n'), which the columns already say. */
const CATALOG = `
with relations as (
  select c.*, c.oid as id from pg_class c
  where c.relnamespace = to_regnamespace('taskforce') and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
),
privileges as (
  select 'schema ' || nspname as object, nspowner as owner, nspacl as acl from pg_namespace where nspname = 'taskforce'
  union all select relname, relowner, relacl from relations
  union all select relname || '.' || attname, relowner, attacl from relations join pg_attribute on attrelid = id
    where attnum > 0 and not attisdropped
  union all select p.oid::regprocedure::text, proowner, proacl from pg_proc p
    where pronamespace = to_regnamespace('taskforce')
)
select 'schema ' || nspname || ' owner ' || pg_get_userbyid(nspowner) as line
from pg_namespace where nspname = 'taskforce'
union all
select format('%s %s owner %s%s%s%s%s',
  case relkind when 'v' then 'view' when 'm' then 'materialized view' when 'S' then 'sequence' when 'f' then 'foreign table' else 'table' end,
  relname, pg_get_userbyid(relowner), case relpersistence when 'u' then ' unlogged' end, ' with ' || array_to_string(reloptions, ', '),
  case when relrowsecurity then ' row security' end, case when relforcerowsecurity then ' forced' end)
from relations
union all
select format('column %s.%s %s%s%s', relname, attname, format_type(atttypid, atttypmod), case when attnotnull then ' not null' end,
  case when attidentity <> '' then ' identity' when attgenerated <> '' then ' generated as ' || pg_get_expr(adbin, adrelid)
    else ' default ' || pg_get_expr(adbin, adrelid) end)
from relations join pg_attribute on attrelid = id left join pg_attrdef on adrelid = attrelid and adnum = attnum
where attnum > 0 and not attisdropped and relkind <> 'S'
union all
select format('constraint %s.%s %s', relname, conname, pg_get_constraintdef(o.oid))
from relations join pg_constraint o on conrelid = id where contype <> 'n'
union all
select pg_get_indexdef(indexrelid) || case when indisvalid then '' else ' INVALID' end from relations join pg_index on indrelid = id
union all
select format('policy %s.%s %s for %s to %s%s%s', relname, polname, case when polpermissive then 'permissive' else 'restrictive' end,
  case polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all' end,
  (select string_agg(case oid when 0 then 'public' else pg_get_userbyid(oid) end, ', ' order by oid) from unnest(polroles) as oid),
  ' using ' || pg_get_expr(polqual, polrelid), ' with check ' || pg_get_expr(polwithcheck, polrelid))
from relations join pg_policy on polrelid = id
union all
select pg_get_triggerdef(t.oid) || case tgenabled when 'D' then ' DISABLED' else '' end
from relations join pg_trigger t on tgrelid = id where not tgisinternal
union all
select format('function %s returns %s%s md5 %s', p.oid::regprocedure, pg_get_function_result(p.oid),
  case when prosecdef then ' security definer' end, md5(coalesce(prosrc, '') || coalesce(pg_get_function_sqlbody(p.oid), '') || coalesce(proconfig::text, '')))
from pg_proc p where pronamespace = to_regnamespace('taskforce')
union all
select format('grant %s on %s to %s%s', privilege_type, object, coalesce(rolname, 'public'), case when is_grantable then ' with grant option' end)
from privileges cross join lateral aclexplode(acl) left join pg_roles on pg_roles.oid = grantee
where grantee <> owner and (grantee = 0 or rolname = any ($1))`

/** Whose grants count. A deployment may give others the right to read, and the owner's own differ between versions. */
const GRANTEES: readonly string[] = SCHEMA_ROLES

/**
 * What the schema really is: one line for each table, column, constraint, index, policy, grant, function and trigger,
 * sorted by code unit. The same on Postgres 15 to 18.
 */
export async function readCatalog(client: ClientBase): Promise<string[]> {
  await client.query(`begin read only; set local search_path = ''`)
  try {
    return await readCatalogHere(client)
  } finally {
    await client.query('rollback')
  }
}

/** The same in the transaction that is open, whose `search_path` has to be empty: names are then whole. */
export async function readCatalogHere(client: ClientBase): Promise<string[]> {
  const { rows } = await client.query<{ line: string }>(CATALOG, [GRANTEES])
  return rows.map(({ line }) => catalogLine(line)).sort()
}

/** One line, whatever is in a name or an expression. */
export function catalogLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim()
}
