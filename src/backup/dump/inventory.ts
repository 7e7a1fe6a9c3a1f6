import type { ClientBase } from 'pg'

/** A table of the live schema that holds rows of its own. */
export interface LiveTable {
  name: string
  /** Without those that Postgres computes. */
  columns: { name: string; type: string }[]
  /** Its rows are left out: they are previews, which a crash of the server empties too. */
  unlogged: boolean
  /** Whether this role sees every row: it may select, and no policy holds any back. */
  readable: boolean
  /** Whether policies say which rows it sees. */
  secured: boolean
}

export interface LiveSequence {
  name: string
  type: string
  readable: boolean
}

export interface Inventory {
  tables: LiveTable[]
  sequences: LiveSequence[]
  /** What holds data and is in no backup, in words. */
  uncovered: string[]
}

/**
 * Partitions are tables of their own here, and their root has no rows. A row is seen where a permissive policy says so and no
 * restrictive one objects; only `true` is understood, anything else counts as hidden. A type of the schema's own or of an
 * extension is `text` here: it is needed only where a column is added by hand, and there the type may be unknown.
 */
const TABLES = `
select c.relname as name, c.relpersistence = 'u' as unlogged,
  coalesce(has_schema_privilege(c.relnamespace, 'usage') and has_table_privilege(c.oid, 'select')
    and (not row_security_active(c.oid) or (
      exists (select from pg_policy p where p.polrelid = c.oid and p.polpermissive and p.polcmd in ('r', '*')
        and (p.polroles @> array[0::oid] or exists (select from unnest(p.polroles) r where pg_has_role(r, 'usage')))
        and pg_get_expr(p.polqual, p.polrelid) = 'true')
      and not exists (select from pg_policy p where p.polrelid = c.oid and not p.polpermissive and p.polcmd in ('r', '*')
        and (p.polroles @> array[0::oid] or exists (select from unnest(p.polroles) r where pg_has_role(r, 'usage')))
        and pg_get_expr(p.polqual, p.polrelid) is distinct from 'true'))), false) as readable,
  row_security_active(c.oid) as secured,
  array(select a.attname::text from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    and a.attgenerated = '' order by a.attnum) as columns,
  array(select case when coalesce(e.typnamespace, t.typnamespace) = 'pg_catalog'::regnamespace
      then format_type(a.atttypid, a.atttypmod) else 'text' end
    from pg_attribute a join pg_type t on t.oid = a.atttypid left join pg_type e on e.oid = t.typelem and t.typlen = -1
    where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '' order by a.attnum) as types
from pg_class c where c.relnamespace = to_regnamespace('taskforce') and c.relkind = 'r'
order by c.relname collate "C"`

const SEQUENCES = `
select c.relname as name, format_type(s.seqtypid, null) as type,
  has_schema_privilege(c.relnamespace, 'usage') and has_sequence_privilege(c.oid, 'select') as readable
from pg_class c join pg_sequence s on s.seqrelid = c.oid
where c.relnamespace = to_regnamespace('taskforce') and c.relkind = 'S' and c.relpersistence <> 'u'
order by c.relname collate "C"`

const UNCOVERED = `
select format('%s %s: what it holds is in no backup',
  case c.relkind when 'm' then 'materialized view' else 'foreign table' end, c.relname) as line
from pg_class c where c.relnamespace = to_regnamespace('taskforce') and (c.relkind = 'f' or c.relkind = 'm' and c.relispopulated)
union all
select format('table %s, a part of %s, is in another schema: its rows are in no backup', i.inhrelid::regclass, p.relname)
from pg_inherits i join pg_class p on p.oid = i.inhparent join pg_class c on c.oid = i.inhrelid
where p.relnamespace = to_regnamespace('taskforce') and c.relnamespace <> p.relnamespace and c.relkind in ('r', 'p', 'f')
union all
select format('%s large objects: they are in no backup', count(*)) from pg_largeobject_metadata having count(*) > 0`

/** Names of all tables with rows, in the order in which they are written. */
export async function tableNames(client: ClientBase): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select relname as name from pg_catalog.pg_class
     where relnamespace = pg_catalog.to_regnamespace('taskforce') and relkind = 'r' order by relname collate "C"`,
  )
  return rows.map(({ name }) => name)
}

/** As seen by the role of the open transaction, whose `search_path` has to be empty. */
export async function readInventory(client: ClientBase): Promise<Inventory> {
  const tables = await client.query<{
    name: string
    unlogged: boolean
    readable: boolean
    secured: boolean
    columns: string[]
    types: string[]
  }>(TABLES)
  const sequences = await client.query<LiveSequence>(SEQUENCES)
  const uncovered = await client.query<{ line: string }>(UNCOVERED)
  return {
    tables: tables.rows.map(({ columns, types, ...table }) => ({
      ...table,
      columns: columns.map((name, index) => ({ name, type: types[index] ?? 'text' })),
    })),
    sequences: sequences.rows,
    uncovered: uncovered.rows.map(({ line }) => line.replaceAll(/\s+/g, ' ')),
  }
}
