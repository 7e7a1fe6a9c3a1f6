/** Functions, types and everything else that can stand in a schema, with owners; what has no owner of its own has none here. */
export const OBJECT_LINES = `
with n as (select to_regnamespace('taskforce')::oid as id),
functions as (select p.* from pg_proc p, n where p.pronamespace = n.id),
types as (
  select t.* from pg_type t, n where t.typnamespace = n.id
    and not (t.typtype = 'b' and t.typelem <> 0 and exists (select from pg_type e where e.typarray = t.oid))
    and (t.typtype <> 'c' or exists (select from pg_class c where c.oid = t.typrelid and c.relkind = 'c'))
)
select format('function %s owner %s kind %s language %s %s%s%s parallel %s cost %s rows %s%s arguments %s%s', p.oid::regprocedure,
  pg_get_userbyid(proowner), prokind, lanname, provolatile, case when proisstrict then ' strict' end, case when proleakproof then ' leakproof' end,
  proparallel, procost, prorows, ' support ' || nullif(prosupport, 0)::regproc::text, pg_get_function_arguments(p.oid), ' in ' || probin) as line
from functions p join pg_language l on l.oid = prolang
union all
select format('aggregate %s %s', aggfnoid::regprocedure, concat_ws(' ', aggkind, aggnumdirectargs, aggtransfn, aggfinalfn, aggcombinefn,
  aggserialfn, aggdeserialfn, aggmtransfn, aggminvtransfn, aggmfinalfn, aggfinalextra, aggmfinalextra, aggfinalmodify, aggmfinalmodify,
  aggsortop::regoperator, aggtranstype::regtype, aggtransspace, aggmtranstype::regtype, aggmtransspace, agginitval, aggminitval))
from pg_aggregate join functions p on p.oid = aggfnoid
union all
select format('type %s owner %s kind %s%s%s%s%s%s%s', t.oid::regtype, pg_get_userbyid(typowner), typtype,
  ' labels ' || (select string_agg(quote_literal(enumlabel), ', ' order by enumsortorder) from pg_enum where enumtypid = t.oid),
  case when typtype = 'd' then ' as ' || format_type(typbasetype, typtypmod) || case when typnotnull then ' not null' else '' end
    || coalesce(' default ' || typdefault, '') || case when typcollation <> 0 then ' collation ' || typcollation::regcollation::text else '' end end,
  ' checks ' || (select string_agg(conname || ' ' || pg_get_constraintdef(o.oid), ', ' order by conname)
    from pg_constraint o where contypid = t.oid and contype <> 'n'),
  ' attributes ' || (select string_agg(format('%s %s %s', attname, format_type(atttypid, atttypmod), nullif(attcollation, 0)::regcollation), ', ' order by attnum)
    from pg_attribute where attrelid = t.typrelid and attnum > 0 and not attisdropped),
  ' of ' || (select concat_ws(' ', rngsubtype::regtype, nullif(rngcollation, 0)::regcollation, nullif(rngcanonical, 0)::regproc,
    nullif(rngsubdiff, 0)::regproc, rngmultitypid::regtype) from pg_range where rngtypid = t.oid),
  case when typtype = 'b' then concat_ws(' ', '', typinput, typoutput, typreceive, typsend, typlen, typbyval, typalign, typstorage, typdelim) end)
from types t
union all
select format('operator %s owner %s %s', o.oid::regoperator, pg_get_userbyid(oprowner), concat_ws(' ', oprcode, nullif(oprcom, 0)::regoperator,
  nullif(oprnegate, 0)::regoperator, oprrest, oprjoin, oprcanmerge, oprcanhash)) from pg_operator o, n where oprnamespace = n.id
union all
select format('operator class %s using %s owner %s for %s %s', opcname, amname, pg_get_userbyid(opcowner), opcintype::regtype,
  concat_ws(' ', opcdefault, nullif(opckeytype, 0)::regtype)) from pg_opclass join pg_am a on a.oid = opcmethod, n where opcnamespace = n.id
union all
select format('operator family %s using %s owner %s has %s and %s', opfname, amname, pg_get_userbyid(opfowner),
  (select string_agg(amopstrategy || ' ' || amopopr::regoperator::text, ', ' order by amopstrategy, amopopr::regoperator::text) from pg_amop where amopfamily = f.oid),
  (select string_agg(amprocnum || ' ' || amproc::regprocedure::text, ', ' order by amprocnum, amproc::regprocedure::text) from pg_amproc where amprocfamily = f.oid))
from pg_opfamily f join pg_am a on a.oid = opfmethod, n where opfnamespace = n.id
union all
select format('collation %s owner %s %s', collname, pg_get_userbyid(collowner), concat_ws(' ', collprovider, collisdeterministic, collcollate, collctype,
  to_jsonb(c) ->> 'colllocale', to_jsonb(c) ->> 'colliculocale')) from pg_collation c, n where collnamespace = n.id
union all
select format('conversion %s owner %s %s', conname, pg_get_userbyid(conowner), conproc) from pg_conversion, n where connamespace = n.id
union all
select format('text search configuration %s owner %s parser %s maps %s', cfgname, pg_get_userbyid(cfgowner), cfgparser::regclass,
  (select string_agg(concat_ws(' ', maptokentype, mapseqno, mapdict::regdictionary), ', ' order by maptokentype, mapseqno) from pg_ts_config_map where mapcfg = c.oid))
from pg_ts_config c, n where cfgnamespace = n.id
union all
select format('text search dictionary %s owner %s template %s with %s', dictname, pg_get_userbyid(dictowner), tmplname, dictinitoption)
from pg_ts_dict join pg_ts_template t on t.oid = dicttemplate, n where dictnamespace = n.id
union all
select format('text search parser %s %s', prsname, concat_ws(' ', prsstart, prstoken, prsend, prsheadline, prslextype)) from pg_ts_parser, n where prsnamespace = n.id
union all
select format('text search template %s %s', tmplname, concat_ws(' ', tmplinit, tmpllexize)) from pg_ts_template, n where tmplnamespace = n.id
union all
select format('extension %s', extname) from pg_extension, n where extnamespace = n.id
union all
select format('comment on %s %s md5 %s', o.type, o.identity, md5(description))
from pg_description d, pg_identify_object(d.classoid, d.objoid, d.objsubid) o
where d.objoid >= 16384 and (o.schema = 'taskforce' or o.identity = 'taskforce' or o.identity ~ '(^| on | of | for )taskforce\\.')
union all
select format('label on %s %s by %s %s', o.type, o.identity, provider, label)
from pg_seclabel d, pg_identify_object(d.classoid, d.objoid, d.objsubid) o
where o.schema = 'taskforce' or o.identity = 'taskforce' or o.identity ~ '(^| on | of | for )taskforce\\.'`

/**
 * Of everybody, and with what the owner and the public have by default: a new function may be run by all, and the lack of that
 * right is a difference. MAINTAIN is left out for owners, since only Postgres 17 and later know it.
 */
export const RIGHT_LINES = `
with n as (select to_regnamespace('taskforce')::oid as id),
rights as (
  select 'schema ' || nspname as object, nspowner as owner, coalesce(nspacl, acldefault('n', nspowner)) as acl from pg_namespace, n where oid = n.id
  union all select relname, relowner, coalesce(relacl, acldefault(case relkind when 'S' then 's' else 'r' end::"char", relowner))
    from pg_class, n where relnamespace = n.id and relkind in ('r', 'p', 'v', 'm', 'f', 'S')
  union all select relname || '.' || attname, relowner, attacl from pg_class c join pg_attribute on attrelid = c.oid, n
    where relnamespace = n.id and attnum > 0 and not attisdropped and attacl is not null
  union all select p.oid::regprocedure::text, proowner, coalesce(proacl, acldefault('f', proowner)) from pg_proc p, n where pronamespace = n.id
  union all select 'type ' || t.oid::regtype, typowner, coalesce(typacl, acldefault('T', typowner)) from pg_type t, n
    where typnamespace = n.id and typtype in ('d', 'e', 'r', 'm')
)
select format('grant %s on %s to %s%s%s', privilege_type, object, coalesce(rolname, 'public'), case when is_grantable and grantee <> owner then ' with grant option' end,
  case when grantor <> owner then ' by ' || pg_get_userbyid(grantor) end) as line
from rights cross join lateral aclexplode(acl) left join pg_roles on pg_roles.oid = grantee
where not (grantee = owner and privilege_type = 'MAINTAIN')
union all
select format('default right %s on %s of %s to %s%s', privilege_type, defaclobjtype, pg_get_userbyid(defaclrole),
  case grantee when 0 then 'public' else pg_get_userbyid(grantee) end, case when is_grantable then ' with grant option' end)
from n, pg_default_acl cross join lateral aclexplode(defaclacl) where defaclnamespace = n.id`
