-- Every object of the first schema of the search path, one row each: kind, name, definition.
-- $1: names of tables to leave out, with all that hangs on them.
-- Members of extensions are left out; the extension itself stands for them.
with
    here as (select oid from pg_namespace where nspname = current_schema()),
    member as (select classid, objid from pg_depend where deptype = 'e'),
    relation as (
        select c.*
        from pg_class c join here on here.oid = c.relnamespace
        where not exists (select from member m where m.classid = 'pg_class'::regclass and m.objid = c.oid)
          and c.relname <> all ($1::text[])
          and not exists (
              select from pg_index i join pg_class t on t.oid = i.indrelid
              where i.indexrelid = c.oid and t.relname = any ($1::text[]))
          and not exists (
              select from pg_depend d join pg_class t on t.oid = d.refobjid and d.refclassid = 'pg_class'::regclass
              where d.classid = 'pg_class'::regclass and d.objid = c.oid and c.relkind = 'S'
                and d.deptype in ('a', 'i') and t.relname = any ($1::text[]))
    ),
    routine as (
        select p.*
        from pg_proc p join here on here.oid = p.pronamespace
        where not exists (select from member m where m.classid = 'pg_proc'::regclass and m.objid = p.oid)
    ),
    type as (
        select t.*
        from pg_type t join here on here.oid = t.typnamespace
        where not exists (select from member m where m.classid = 'pg_type'::regclass and m.objid = t.oid)
    ),
    commentable (classid, objid) as (
        select 'pg_class'::regclass, oid from relation
        union all select 'pg_proc'::regclass, oid from routine
        union all select 'pg_type'::regclass, oid from type
        union all select 'pg_constraint'::regclass, oid from pg_constraint
            where conrelid in (select oid from relation) or contypid in (select oid from type)
        union all select 'pg_trigger'::regclass, oid from pg_trigger where tgrelid in (select oid from relation)
        union all select 'pg_policy'::regclass, oid from pg_policy where polrelid in (select oid from relation)
    )

select
    case relkind when 'p' then 'partitioned table' when 'f' then 'foreign table' else 'table' end as kind,
    relname::text as name,
    concat_ws(', ',
        case relpersistence when 'u' then 'unlogged' when 't' then 'temporary' else 'permanent' end,
        'partition by ' || pg_get_partkeydef(oid),
        'partition ' || pg_get_expr(relpartbound, oid),
        'options ' || array_to_string(reloptions, ' '),
        case when relrowsecurity then 'row security' end,
        case when relforcerowsecurity then 'row security forced' end,
        'granted ' || relacl::text) as definition
from relation where relkind in ('r', 'p', 'f')

union all
select 'column', relation.relname || '.' || a.attname,
    concat_ws(', ',
        'position ' || row_number() over (partition by a.attrelid order by a.attnum),
        format_type(a.atttypid, a.atttypmod),
        case when a.attnotnull then 'not null' else 'null' end,
        'default ' || pg_get_expr(d.adbin, d.adrelid),
        case a.attidentity when 'a' then 'identity always' when 'd' then 'identity by default' end,
        case a.attgenerated when 's' then 'stored' when 'v' then 'virtual' end,
        'collate ' || nullif(a.attcollation, t.typcollation)::regcollation::text,
        'granted ' || a.attacl::text)
from relation
join pg_attribute a on a.attrelid = relation.oid and a.attnum > 0 and not a.attisdropped
join pg_type t on t.oid = a.atttypid
left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
where relation.relkind in ('r', 'p', 'f', 'v', 'm', 'c')

union all
select 'constraint', coalesce(relation.relname, t.typname) || '.' || c.conname,
    concat_ws(', ', pg_get_constraintdef(c.oid), case when not c.convalidated then 'not validated' end)
from pg_constraint c
left join relation on relation.oid = c.conrelid
left join type t on t.oid = c.contypid
where relation.oid is not null or t.oid is not null

union all
select 'index', relation.relname::text,
    concat_ws(', ', pg_get_indexdef(relation.oid), case when not i.indisvalid then 'invalid' end,
        case when i.indisclustered then 'clustered' end, case when i.indisreplident then 'replica identity' end)
from relation join pg_index i on i.indexrelid = relation.oid

union all
select case relkind when 'm' then 'materialized view' else 'view' end, relname::text,
    concat_ws(', ', pg_get_viewdef(oid), 'options ' || array_to_string(reloptions, ' '), 'granted ' || relacl::text)
from relation where relkind in ('v', 'm')

union all
select 'sequence', relation.relname::text,
    concat_ws(', ', format_type(s.seqtypid, null), 'start ' || s.seqstart, 'increment ' || s.seqincrement,
        'min ' || s.seqmin, 'max ' || s.seqmax, 'cache ' || s.seqcache, case when s.seqcycle then 'cycle' end,
        'owned by ' || (
            select format('%s.%s', owner.relname, a.attname)
            from pg_depend d
            join pg_class owner on owner.oid = d.refobjid
            join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
            where d.classid = 'pg_class'::regclass and d.objid = relation.oid and d.deptype in ('a', 'i')),
        'granted ' || relation.relacl::text)
from relation join pg_sequence s on s.seqrelid = relation.oid

union all
select case prokind when 'p' then 'procedure' when 'a' then 'aggregate' else 'function' end,
    format('%s(%s)', proname, pg_get_function_identity_arguments(oid)),
    concat_ws(', ', case when prokind in ('f', 'p') then pg_get_functiondef(oid) end, 'granted ' || proacl::text)
from routine

union all
select 'trigger', format('%s.%s', relation.relname, t.tgname),
    concat_ws(', ', pg_get_triggerdef(t.oid), 'enabled ' || t.tgenabled::text)
from relation join pg_trigger t on t.tgrelid = relation.oid and not t.tgisinternal

union all
select 'enum', type.typname::text,
    (select string_agg(e.enumlabel, ', ' order by e.enumsortorder) from pg_enum e where e.enumtypid = type.oid)
from type where typtype = 'e'

union all
select 'domain', typname::text,
    concat_ws(', ', format_type(typbasetype, typtypmod), case when typnotnull then 'not null' end,
        'default ' || typdefault)
from type where typtype = 'd'

union all
select 'range type', type.typname::text, format_type(r.rngsubtype, null)
from type join pg_range r on r.rngtypid = type.oid

union all
select 'policy', format('%s.%s', relation.relname, p.polname),
    concat_ws(', ', p.polcmd::text, case when not p.polpermissive then 'restrictive' end, p.polroles::regrole[]::text,
        'using ' || pg_get_expr(p.polqual, p.polrelid), 'check ' || pg_get_expr(p.polwithcheck, p.polrelid))
from relation join pg_policy p on p.polrelid = relation.oid

union all
select 'extension', extname::text, concat('version ', extversion)
from pg_extension where extname <> 'plpgsql'

union all
select 'comment', format('%s %s', identity.type, identity.identity), d.description
from pg_description d
join commentable c on c.classid = d.classoid and c.objid = d.objoid
cross join lateral pg_identify_object(d.classoid, d.objoid, d.objsubid) as identity

order by 1, 2, 3
