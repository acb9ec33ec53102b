-- Drops every object of the first schema of the search path, members of extensions excepted.
-- The statements are all made before the first is run, because what is gone can't be named any more.
do $$
declare
    statement text;
begin
    foreach statement in array coalesce((
        select array_agg(drop_statement order by turn)
        from (
            select 1 as turn, format('drop routine if exists %s cascade', p.oid::regprocedure) as drop_statement
            from pg_proc p
            where p.pronamespace = quote_ident(current_schema())::regnamespace
              and not exists (
                  select from pg_depend d where d.deptype = 'e' and d.classid = 'pg_proc'::regclass and d.objid = p.oid)
            union all
            -- An identity column's sequence goes with its table only.
            select case c.relkind when 'S' then 3 else 2 end, format('drop %s if exists %I.%I cascade',
                case c.relkind when 'v' then 'view' when 'm' then 'materialized view' when 'S' then 'sequence'
                    when 'f' then 'foreign table' else 'table' end,
                current_schema(), c.relname)
            from pg_class c
            where c.relnamespace = quote_ident(current_schema())::regnamespace and c.relkind in ('r', 'p', 'f', 'v', 'm', 'S')
              and not exists (
                  select from pg_depend d where d.deptype = 'e' and d.classid = 'pg_class'::regclass and d.objid = c.oid)
            union all
            select 4, format('drop type if exists %I.%I cascade', current_schema(), t.typname)
            from pg_type t
            where t.typnamespace = quote_ident(current_schema())::regnamespace
              and (t.typtype in ('e', 'd', 'r')
                  or exists (select from pg_class c where c.oid = t.typrelid and c.relkind = 'c'))
              and not exists (
                  select from pg_depend d where d.deptype = 'e' and d.classid = 'pg_type'::regclass and d.objid = t.oid)
            union all
            -- What is left of the kinds that have names of their own.
            select 5, format('drop %s if exists %s cascade', o.kind, o.identity)
            from (
                select 'operator' as kind, 'pg_operator'::regclass as class, oid, oid::regoperator::text as identity
                from pg_operator where oprnamespace = quote_ident(current_schema())::regnamespace
                union all
                select 'collation', 'pg_collation'::regclass, oid, oid::regcollation::text
                from pg_collation where collnamespace = quote_ident(current_schema())::regnamespace
                union all
                select 'text search configuration', 'pg_ts_config'::regclass, oid, oid::regconfig::text
                from pg_ts_config where cfgnamespace = quote_ident(current_schema())::regnamespace
                union all
                select 'text search dictionary', 'pg_ts_dict'::regclass, oid, oid::regdictionary::text
                from pg_ts_dict where dictnamespace = quote_ident(current_schema())::regnamespace
            ) o
            where not exists (select from pg_depend d where d.deptype = 'e' and d.classid = o.class and d.objid = o.oid)
        ) objects
    ), '{}')
    loop
        execute statement;
    end loop;
end
$$
