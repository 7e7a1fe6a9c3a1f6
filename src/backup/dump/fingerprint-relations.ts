/**
 * Of tables, views and sequences: what pg_dump writes and the catalogue of `npm run migrate -- check` does not look at. A line
 * says only what differs from a new table's default, so that a version with another default stays silent.
 */
export const RELATION_LINES = `
with relations as (
  select c.*, c.oid as id from pg_class c
  where c.relnamespace = to_regnamespace('taskforce') and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
),
attributes as (
  select r.relname, r.relkind, a.*, row_number() over (partition by a.attrelid order by a.attnum) as place
  from relations r join pg_attribute a on a.attrelid = r.id
  where a.attnum > 0 and not a.attisdropped and r.relkind <> 'S'
)
select format('detail %s%s%s%s%s%s%s%s', relname,
  case when relkind = 'p' then ' partitioned by ' || pg_get_partkeydef(id) end,
  case when relispartition then ' partition ' || pg_get_expr(relpartbound, id) end,
  case when relreplident <> 'd' then ' replica identity ' || relreplident::text end,
  ' tablespace ' || (select spcname from pg_tablespace s where s.oid = reltablespace),
  ' access method ' || (select amname from pg_am m where m.oid = relam and amname <> 'heap'),
  ' of type ' || nullif(reloftype, 0)::regtype::text,
  ' toast with ' || (select array_to_string(t.reloptions, ', ') from pg_class t where t.oid = relations.reltoastrelid)) as line
from relations
where relkind in ('p', 'm') or relispartition or relreplident <> 'd' or reltablespace <> 0 or reloftype <> 0
  or relam not in (0, (select oid from pg_am where amname = 'heap'))
  or exists (select from pg_class t where t.oid = relations.reltoastrelid and t.reloptions is not null)
union all
select format('definition %s md5 %s', relname, md5(regexp_replace(pg_get_viewdef(id), '\\s+', ' ', 'g')))
from relations where relkind in ('v', 'm')
union all
select format('sequence %s %s start %s by %s from %s to %s cache %s%s%s', relname, format_type(seqtypid, null), seqstart, seqincrement,
  seqmin, seqmax, seqcache, case when seqcycle then ' cycle' end,
  (select format(' owned by %s.%s', d.refobjid::regclass, a.attname) from pg_depend d
    join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
    where d.classid = 'pg_class'::regclass and d.objid = id and d.refclassid = 'pg_class'::regclass and d.deptype in ('a', 'i')))
from relations join pg_sequence on seqrelid = id
union all
select format('inherits %s from %s as %s', i.inhrelid::regclass, i.inhparent::regclass, i.inhseqno)
from pg_inherits i join pg_class c on c.oid in (i.inhrelid, i.inhparent) where c.relnamespace = to_regnamespace('taskforce')
union all
select format('place %s.%s %s', relname, attname, place) from attributes
union all
select format('detail %s.%s%s%s%s%s%s%s%s', relname, attname,
  case when attstorage <> typstorage then ' storage ' || attstorage::text end, ' compression ' || nullif(attcompression::text, ''),
  ' statistics ' || nullif(attstattarget, -1), ' collation ' || nullif(attcollation, typcollation)::regcollation::text,
  ' options ' || array_to_string(attoptions, ', '), ' foreign options ' || array_to_string(attfdwoptions, ', '),
  case when attislocal then '' else ' inherited' end)
from attributes a join pg_type t on t.oid = atttypid
where attstorage <> typstorage or attcompression <> '' or coalesce(attstattarget, -1) <> -1 or attcollation <> typcollation
  or attoptions is not null or attfdwoptions is not null or not attislocal
union all
select format('detail %s.%s identity %s%s', relname, attname, attidentity, attgenerated) from attributes where attidentity <> '' or attgenerated <> ''
union all
select format('detail index %s%s%s%s%s%s', x.indexrelid::regclass, case when x.indisclustered then ' clustered' end,
  case when x.indisreplident then ' replica identity' end, ' tablespace ' || s.spcname, ' statistics ' || (
    select string_agg(a.attnum || '=' || a.attstattarget, ', ' order by a.attnum) from pg_attribute a
    where a.attrelid = x.indexrelid and a.attstattarget >= 0), ' part of ' || (
    select inhparent::regclass::text from pg_inherits where inhrelid = x.indexrelid))
from relations join pg_index x on x.indrelid = id join pg_class i on i.oid = x.indexrelid left join pg_tablespace s on s.oid = i.reltablespace
where x.indisclustered or x.indisreplident or s.oid is not null or i.relispartition
  or exists (select from pg_attribute a where a.attrelid = x.indexrelid and a.attstattarget >= 0)
union all
select format('not null %s.%s%s%s', relname, conname, case when convalidated then '' else ' not valid' end, case when connoinherit then ' no inherit' end)
from relations join pg_constraint on conrelid = id where contype = 'n' and (connoinherit or not convalidated)
union all
select format('firing %s of %s is %s', case when tgisinternal then 'of foreign keys' else tgname end, relname, tgenabled)
from relations join pg_trigger on tgrelid = id where tgenabled <> 'O'
union all
select format('rule %s md5 %s firing %s', rulename, md5(regexp_replace(pg_get_ruledef(w.oid), '\\s+', ' ', 'g')), ev_enabled)
from relations join pg_rewrite w on ev_class = id where rulename <> '_RETURN' or ev_enabled <> 'O'
union all
select format('statistics %s owner %s%s', pg_get_statisticsobjdef(e.oid), pg_get_userbyid(stxowner), ' target ' || nullif(stxstattarget, -1))
from pg_statistic_ext e where stxnamespace = to_regnamespace('taskforce') or stxrelid in (select id from relations)
union all
select format('foreign table %s server %s with %s', relname, s.srvname, array_to_string(f.ftoptions, ', '))
from relations join pg_foreign_table f on f.ftrelid = id join pg_foreign_server s on s.oid = f.ftserver
union all
select format('publication %s of %s%s%s', p.pubname, relname, ' where ' || pg_get_expr(r.prqual, r.prrelid), ' columns ' || r.prattrs::text)
from relations join pg_publication_rel r on r.prrelid = id join pg_publication p on p.oid = r.prpubid
union all
select format('publication %s of the schema', p.pubname)
from pg_publication_namespace n join pg_publication p on p.oid = n.pnpubid where n.pnnspid = to_regnamespace('taskforce')`
