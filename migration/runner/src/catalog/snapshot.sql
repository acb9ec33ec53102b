-- Every object of a schema or of every schema, and what belongs to the database as a whole, one row each: kind, name,
-- definition.
-- $1: names of tables to leave out, with all that hangs on them.
-- $2: whether to take every schema, not just the first of the search path; names in others carry theirs.
-- Members of extensions are left out; the extension itself stands for them. Owners and grants are told where they are
-- not what the object was created with by this connection's role, so a grant that was revoked leaves nothing.
with
    own as (select oid from pg_roles where rolname = current_user),
    member as (select classid, objid from pg_depend where deptype = 'e'),
    here as (
        select n.oid, case when n.nspname = current_schema() then '' else quote_ident(n.nspname) || '.' end as prefix
        from pg_namespace n
        where n.nspname = current_schema()
           or ($2::boolean and n.nspname <> 'information_schema' and n.nspname !~ '^pg_'
               and not exists (
                   select from member m where m.classid = 'pg_namespace'::regclass and m.objid = n.oid))
    ),
    granted as (
        select g.classid, g.objid, g.subid,
            (select string_agg(i::text, ' ' order by i::text) from unnest(g.acl) as i) as items,
            (select string_agg(d::text, ' ' order by d::text) from unnest(g.initial) as d) as initial
        from (
            select 'pg_class'::regclass::oid as classid, oid as objid, 0 as subid, relacl as acl,
                acldefault(case relkind when 'S' then 's' else 'r' end::"char", relowner) as initial
            from pg_class where relacl is not null
            union all
            select 'pg_class'::regclass, attrelid, attnum, attacl, null from pg_attribute where attacl is not null
            union all
            select 'pg_proc'::regclass, oid, 0, proacl, acldefault('f', proowner) from pg_proc where proacl is not null
            union all
            select 'pg_type'::regclass, oid, 0, typacl, acldefault('T', typowner) from pg_type where typacl is not null
            union all
            select 'pg_namespace'::regclass, oid, 0, nspacl,
                coalesce(
                    (select initprivs from pg_init_privs i
                     where i.classoid = 'pg_namespace'::regclass and i.objoid = n.oid),
                    acldefault('n', nspowner))
            from pg_namespace n where nspacl is not null
            union all
            select 'pg_database'::regclass, oid, 0, datacl, acldefault('d', datdba)
            from pg_database where datname = current_database() and datacl is not null
            union all
            select 'pg_foreign_server'::regclass, oid, 0, srvacl, acldefault('S', srvowner)
            from pg_foreign_server where srvacl is not null
        ) g
    ),
    relation as (
        select c.*, here.prefix || c.relname as name,
            concat_ws(', ',
                case when c.relowner not in (select oid from own) then 'owner ' || c.relowner::regrole end,
                (select 'granted ' || g.items from granted g
                 where g.classid = 'pg_class'::regclass and g.objid = c.oid and g.subid = 0
                   and g.items is distinct from g.initial)) as access
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
        select p.*, here.prefix || p.proname as name,
            concat_ws(', ',
                case when p.proowner not in (select oid from own) then 'owner ' || p.proowner::regrole end,
                (select 'granted ' || g.items from granted g
                 where g.classid = 'pg_proc'::regclass and g.objid = p.oid
                   and g.items is distinct from g.initial)) as access
        from pg_proc p join here on here.oid = p.pronamespace
        where not exists (select from member m where m.classid = 'pg_proc'::regclass and m.objid = p.oid)
    ),
    type as (
        select t.*, here.prefix || t.typname as name,
            concat_ws(', ',
                case when t.typowner not in (select oid from own) then 'owner ' || t.typowner::regrole end,
                (select 'granted ' || g.items from granted g
                 where g.classid = 'pg_type'::regclass and g.objid = t.oid
                   and g.items is distinct from g.initial)) as access
        from pg_type t join here on here.oid = t.typnamespace
        where not exists (select from member m where m.classid = 'pg_type'::regclass and m.objid = t.oid)
    ),
    -- What else lives in a schema or in the database, as the catalog has it without numbers and owners.
    other (kind, classid, objid, definition) as (
        select 'extended statistics', 'pg_statistic_ext'::regclass::oid, s.oid,
            concat_ws(', ', pg_get_statisticsobjdef(s.oid),
                'target ' || nullif((to_jsonb(s) ->> 'stxstattarget')::integer, -1))
        from pg_statistic_ext s join relation on relation.oid = s.stxrelid
        union all
        select 'collation', 'pg_collation'::regclass, c.oid,
            (to_jsonb(c) - '{oid,collname,collnamespace,collowner,collversion}'::text[])::text
        from pg_collation c join here on here.oid = c.collnamespace
        union all
        select 'conversion', 'pg_conversion'::regclass, c.oid, format('%s, default %s', c.conproc, c.condefault)
        from pg_conversion c join here on here.oid = c.connamespace
        union all
        select 'cast', 'pg_cast'::regclass, c.oid,
            concat_ws(', ', 'by ' || nullif(c.castfunc, 0)::regprocedure, c.castcontext::text, c.castmethod::text)
        from pg_cast c where c.oid >= 16384
        union all
        select 'operator', 'pg_operator'::regclass, o.oid,
            concat_ws(', ', o.oprcode, 'commutator ' || nullif(o.oprcom, 0)::regoperator,
                'negator ' || nullif(o.oprnegate, 0)::regoperator, o.oprrest, o.oprjoin,
                case when o.oprcanmerge then 'merges' end, case when o.oprcanhash then 'hashes' end)
        from pg_operator o join here on here.oid = o.oprnamespace
        union all
        select 'operator class', 'pg_opclass'::regclass, o.oid,
            concat_ws(', ', format_type(o.opcintype, null), case when o.opcdefault then 'default' end,
                'stores ' || format_type(nullif(o.opckeytype, 0), null))
        from pg_opclass o join here on here.oid = o.opcnamespace
        union all
        select 'operator family', 'pg_opfamily'::regclass, o.oid,
            (select string_agg(format('%s %s', a.amopstrategy, a.amopopr::regoperator), ', '
                 order by a.amopstrategy, a.amopopr::regoperator::text)
             from pg_amop a where a.amopfamily = o.oid)
        from pg_opfamily o join here on here.oid = o.opfnamespace
        union all
        select 'text search configuration', 'pg_ts_config'::regclass, c.oid,
            (select string_agg(format('%s %s', m.maptokentype, m.mapdict::regdictionary), ', '
                 order by m.maptokentype, m.mapseqno)
             from pg_ts_config_map m where m.mapcfg = c.oid)
        from pg_ts_config c join here on here.oid = c.cfgnamespace
        union all
        select 'text search dictionary', 'pg_ts_dict'::regclass, d.oid, d.dictinitoption
        from pg_ts_dict d join here on here.oid = d.dictnamespace
        union all
        select 'text search template', 'pg_ts_template'::regclass, t.oid, concat_ws(', ', t.tmplinit, t.tmpllexize)
        from pg_ts_template t join here on here.oid = t.tmplnamespace
        union all
        select 'text search parser', 'pg_ts_parser'::regclass, p.oid, concat_ws(', ', p.prsstart, p.prstoken, p.prsend)
        from pg_ts_parser p join here on here.oid = p.prsnamespace
        union all
        select 'event trigger', 'pg_event_trigger'::regclass, e.oid,
            concat_ws(', ', e.evtevent, e.evtfoid::regprocedure, 'enabled ' || e.evtenabled::text, e.evttags::text)
        from pg_event_trigger e
        union all
        select 'publication', 'pg_publication'::regclass, p.oid,
            concat_ws(', ', case when p.puballtables then 'all tables' end, case when p.pubinsert then 'insert' end,
                case when p.pubupdate then 'update' end, case when p.pubdelete then 'delete' end,
                case when p.pubtruncate then 'truncate' end, case when p.pubviaroot then 'via root' end,
                (select string_agg(
                     concat_ws(' ', r.prrelid::regclass, r.prattrs, pg_get_expr(r.prqual, r.prrelid)), ', '
                     order by r.prrelid::regclass::text)
                 from pg_publication_rel r where r.prpubid = p.oid),
                (select string_agg('schema ' || n.pnnspid::regnamespace, ', ' order by n.pnnspid::regnamespace::text)
                 from pg_publication_namespace n where n.pnpubid = p.oid))
        from pg_publication p
        union all
        select 'foreign data wrapper', 'pg_foreign_data_wrapper'::regclass, w.oid,
            concat_ws(', ', nullif(w.fdwhandler, 0)::regprocedure, nullif(w.fdwvalidator, 0)::regprocedure,
                w.fdwoptions::text)
        from pg_foreign_data_wrapper w
        union all
        select 'foreign server', 'pg_foreign_server'::regclass, s.oid,
            concat_ws(', ', w.fdwname, s.srvtype, s.srvversion, s.srvoptions::text,
                (select 'granted ' || g.items from granted g
                 where g.classid = 'pg_foreign_server'::regclass and g.objid = s.oid
                   and g.items is distinct from g.initial))
        from pg_foreign_server s join pg_foreign_data_wrapper w on w.oid = s.srvfdw
        union all
        select 'language', 'pg_language'::regclass, l.oid, nullif(l.lanplcallfoid, 0)::regprocedure::text
        from pg_language l where l.oid >= 16384
        union all
        select 'access method', 'pg_am'::regclass, a.oid, a.amhandler::text from pg_am a where a.oid >= 16384
        union all
        select 'schema', 'pg_namespace'::regclass, n.oid,
            concat_ws(', ',
                case when n.nspowner not in (select oid from own) and n.oid >= 16384
                    then 'owner ' || n.nspowner::regrole end,
                (select 'granted ' || g.items from granted g
                 where g.classid = 'pg_namespace'::regclass and g.objid = n.oid
                   and g.items is distinct from g.initial))
        from pg_namespace n
        where n.nspname <> 'information_schema' and n.nspname !~ '^pg_'
          and (n.nspname is distinct from current_schema() and n.oid >= 16384
            or exists (
                select from granted g
                where g.classid = 'pg_namespace'::regclass and g.objid = n.oid and g.items is distinct from g.initial))
    ),
    described (classid, objid) as (
        select 'pg_class'::regclass::oid, oid from relation
        union all select 'pg_proc'::regclass, oid from routine
        union all select 'pg_type'::regclass, oid from type
        union all select 'pg_constraint'::regclass, oid from pg_constraint
            where conrelid in (select oid from relation) or contypid in (select oid from type)
        union all select 'pg_trigger'::regclass, oid from pg_trigger where tgrelid in (select oid from relation)
        union all select 'pg_policy'::regclass, oid from pg_policy where polrelid in (select oid from relation)
        union all select 'pg_rewrite'::regclass, oid from pg_rewrite where ev_class in (select oid from relation)
        union all select 'pg_extension'::regclass, oid from pg_extension where extname <> 'plpgsql'
        union all select 'pg_namespace'::regclass, oid from here
        union all select classid, objid from other
    )

select
    case relkind when 'p' then 'partitioned table' when 'f' then 'foreign table' else 'table' end as kind,
    name::text as name,
    concat_ws(', ',
        case relpersistence when 'u' then 'unlogged' when 't' then 'temporary' else 'permanent' end,
        'partition by ' || pg_get_partkeydef(oid),
        'partition ' || pg_get_expr(relpartbound, oid),
        'inherits ' || (
            select string_agg(i.inhparent::regclass::text, ' ' order by i.inhseqno)
            from pg_inherits i where i.inhrelid = relation.oid),
        'of type ' || format_type(nullif(reloftype, 0), null),
        'access method ' || (select nullif(amname, 'heap') from pg_am where pg_am.oid = relam),
        'tablespace ' || (select spcname from pg_tablespace s where s.oid = reltablespace),
        'options ' || array_to_string(reloptions, ' '),
        'server ' || (select concat_ws(' ', s.srvname, f.ftoptions::text)
            from pg_foreign_table f join pg_foreign_server s on s.oid = f.ftserver where f.ftrelid = relation.oid),
        'replica identity ' || nullif(nullif(relreplident::text, 'd'), 'n'),
        case when relrowsecurity then 'row security' end,
        case when relforcerowsecurity then 'row security forced' end,
        nullif(access, '')) as definition
from relation where relkind in ('r', 'p', 'f')

union all
select 'column', relation.name || '.' || a.attname,
    concat_ws(', ',
        'position ' || row_number() over (partition by a.attrelid order by a.attnum),
        format_type(a.atttypid, a.atttypmod),
        case when a.attnotnull then 'not null' else 'null' end,
        'default ' || pg_get_expr(d.adbin, d.adrelid),
        case a.attidentity when 'a' then 'identity always' when 'd' then 'identity by default' end,
        case a.attgenerated when 's' then 'stored' when 'v' then 'virtual' end,
        'collate ' || nullif(a.attcollation, t.typcollation)::regcollation::text,
        'storage ' || nullif(a.attstorage, t.typstorage)::text,
        'compression ' || nullif(a.attcompression::text, ''),
        'statistics ' || nullif(a.attstattarget, -1),
        'options ' || array_to_string(a.attoptions || a.attfdwoptions, ' '),
        (select 'granted ' || g.items from granted g
         where g.classid = 'pg_class'::regclass and g.objid = a.attrelid and g.subid = a.attnum))
from relation
join pg_attribute a on a.attrelid = relation.oid and a.attnum > 0 and not a.attisdropped
join pg_type t on t.oid = a.atttypid
left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
where relation.relkind in ('r', 'p', 'f', 'v', 'm', 'c')

-- A plain `not null` is a constraint of its own since PostgreSQL 18; the column tells of it already.
union all
select 'constraint', coalesce(relation.name, t.name) || '.' || c.conname,
    concat_ws(', ', pg_get_constraintdef(c.oid), case when not c.convalidated then 'not validated' end)
from pg_constraint c
left join relation on relation.oid = c.conrelid
left join type t on t.oid = c.contypid
where (relation.oid is not null or t.oid is not null) and not (c.contype = 'n' and c.convalidated)

union all
select 'index', relation.name,
    concat_ws(', ', pg_get_indexdef(relation.oid), case when not i.indisvalid then 'invalid' end,
        case when i.indisclustered then 'clustered' end, case when i.indisreplident then 'replica identity' end,
        'part of ' || (
            select n.inhparent::regclass::text from pg_inherits n where n.inhrelid = relation.oid),
        'tablespace ' || (select spcname from pg_tablespace s where s.oid = reltablespace))
from relation join pg_index i on i.indexrelid = relation.oid

union all
select case relkind when 'm' then 'materialized view' else 'view' end, name,
    concat_ws(', ', pg_get_viewdef(oid), case when not relispopulated then 'not populated' end,
        'options ' || array_to_string(reloptions, ' '), nullif(access, ''))
from relation where relkind in ('v', 'm')

union all
select 'rule', format('%s.%s', relation.name, r.rulename),
    concat_ws(', ', pg_get_ruledef(r.oid), 'enabled ' || r.ev_enabled::text)
from relation join pg_rewrite r on r.ev_class = relation.oid and r.rulename <> '_RETURN'

union all
select 'sequence', relation.name,
    concat_ws(', ', format_type(s.seqtypid, null), 'start ' || s.seqstart, 'increment ' || s.seqincrement,
        'min ' || s.seqmin, 'max ' || s.seqmax, 'cache ' || s.seqcache, case when s.seqcycle then 'cycle' end,
        'owned by ' || (
            select format('%s.%s', owner.relname, a.attname)
            from pg_depend d
            join pg_class owner on owner.oid = d.refobjid
            join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
            where d.classid = 'pg_class'::regclass and d.objid = relation.oid and d.deptype in ('a', 'i')),
        nullif(access, ''))
from relation join pg_sequence s on s.seqrelid = relation.oid

union all
select case prokind when 'p' then 'procedure' when 'a' then 'aggregate' else 'function' end,
    format('%s(%s)', name, pg_get_function_identity_arguments(routine.oid)),
    concat_ws(', ',
        case when prokind <> 'a' then pg_get_functiondef(routine.oid) end,
        case when prokind = 'a' then
            format('%s of %s starting at %L, then %s', a.aggtransfn, format_type(a.aggtranstype, null), a.agginitval,
                a.aggfinalfn) end,
        nullif(access, ''))
from routine
left join lateral (select * from pg_aggregate where aggfnoid = routine.oid) a on true

union all
select 'trigger', format('%s.%s', relation.name, t.tgname),
    concat_ws(', ', pg_get_triggerdef(t.oid), 'enabled ' || t.tgenabled::text)
from relation join pg_trigger t on t.tgrelid = relation.oid and not t.tgisinternal

union all
select 'enum', name,
    concat_ws(', ',
        (select string_agg(e.enumlabel, ', ' order by e.enumsortorder) from pg_enum e where e.enumtypid = type.oid),
        nullif(access, ''))
from type where typtype = 'e'

union all
select 'domain', name,
    concat_ws(', ', format_type(typbasetype, typtypmod), case when typnotnull then 'not null' end,
        'default ' || typdefault,
        'collate ' || nullif(typcollation, (select b.typcollation from pg_type b where b.oid = type.typbasetype))
            ::regcollation::text,
        nullif(access, ''))
from type where typtype = 'd'

union all
select 'range type', name, concat_ws(', ', format_type(r.rngsubtype, null), nullif(access, ''))
from type join pg_range r on r.rngtypid = type.oid

union all
select 'composite type', type.name, nullif(type.access, '')
from type join pg_class c on c.oid = type.typrelid and c.relkind = 'c'

union all
select 'base type', name, concat_ws(', ', typinput, typoutput, nullif(access, ''))
from type where typtype = 'b' and typelem = 0

union all
select 'policy', format('%s.%s', relation.name, p.polname),
    concat_ws(', ', p.polcmd::text, case when not p.polpermissive then 'restrictive' end, p.polroles::regrole[]::text,
        'using ' || pg_get_expr(p.polqual, p.polrelid), 'check ' || pg_get_expr(p.polwithcheck, p.polrelid))
from relation join pg_policy p on p.polrelid = relation.oid

union all
select 'extension', extname::text, concat_ws(', ', 'version ' || extversion, 'schema ' || extnamespace::regnamespace)
from pg_extension where extname <> 'plpgsql'

union all
select kind, identity.identity, definition
from other
cross join lateral pg_identify_object(classid, objid, 0) as identity
where not exists (select from member m where m.classid = other.classid and m.objid = other.objid)

union all
select 'default privileges',
    format('%s%s %s', coalesce(d.namespace::regnamespace || '.', ''), d.defaclobjtype, d.defaclrole::regrole),
    (select string_agg(item::text, ' ' order by item::text) from unnest(d.defaclacl) as item)
from (select *, nullif(defaclnamespace, 0) as namespace from pg_default_acl) d
where d.namespace is null or d.namespace in (select oid from here)

union all
select 'user mapping', format('%s %s', srvname, usename), umoptions::text from pg_user_mappings

union all
select 'setting', format('of the database%s', ' for ' || nullif(s.setrole, 0)::regrole),
    array_to_string(s.setconfig, ' ')
from pg_db_role_setting s join pg_database d on d.oid = s.setdatabase
where d.datname = current_database()

union all
select 'database', 'grants', g.items
from granted g where g.classid = 'pg_database'::regclass and g.items is distinct from g.initial

union all
select 'comment', format('%s %s', identity.type, identity.identity), d.description
from pg_description d
join described on described.classid = d.classoid and described.objid = d.objoid
cross join lateral pg_identify_object(d.classoid, d.objoid, d.objsubid) as identity
where not (d.classoid = 'pg_namespace'::regclass and d.description = 'standard public schema')

order by 1, 2, 3
