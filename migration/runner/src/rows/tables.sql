-- Every table that takes rows, in any schema but the system's, and every type their columns can be of, as one JSON text.
-- Partitions are left out (their parent takes the rows), as are temporary tables and members of extensions.
with
    tables as (
        select c.*
        from pg_class c
        join pg_namespace n on n.oid = c.relnamespace
        where c.relkind in ('r', 'p') and not c.relispartition and c.relpersistence <> 't'
          and n.nspname <> 'information_schema' and n.nspname !~ '^pg_'
          and not exists (
              select from pg_depend d where d.deptype = 'e' and d.classid = 'pg_class'::regclass and d.objid = c.oid)
    ),
    types as (
        select t.*
        from pg_type t
        where t.typtype in ('b', 'd', 'e', 'r', 'm')
           or exists (select from pg_class c where c.oid = t.typrelid and c.relkind = 'c')
    )
select json_build_object(
    'tables', coalesce((
        select json_agg(json_build_object(
            'oid', c.oid::bigint,
            'name', case when c.relnamespace = quote_ident(current_schema())::regnamespace then c.relname::text
                else c.relnamespace::regnamespace || '.' || c.relname end,
            'sql', c.oid::regclass::text,
            'partitioned', c.relkind = 'p',
            'columns', (
                select coalesce(json_agg(json_build_object(
                    'number', a.attnum,
                    'name', a.attname,
                    'type', format_type(a.atttypid, a.atttypmod),
                    'type_oid', a.atttypid::bigint,
                    'modifier', a.atttypmod,
                    'not_null', a.attnotnull,
                    'default', case
                        when a.attgenerated <> '' then null
                        when a.attidentity <> ''
                            then format('nextval(%L)', pg_get_serial_sequence(c.oid::regclass::text, a.attname))
                        else pg_get_expr(d.adbin, d.adrelid) end,
                    'identity', a.attidentity = 'a',
                    'generated', a.attgenerated <> '') order by a.attnum), '[]')
                from pg_attribute a
                left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
                where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped),
            'primary_key', (
                select coalesce(json_agg(a.attname order by k.position), '[]')
                from pg_index i
                cross join unnest(i.indkey::smallint[]) with ordinality as k (number, position)
                join pg_attribute a on a.attrelid = c.oid and a.attnum = k.number
                where i.indrelid = c.oid and i.indisprimary and k.position <= i.indnkeyatts),
            'foreign_keys', (
                select coalesce(json_agg(json_build_object(
                    'name', f.conname,
                    'sql', format('%s.%I', f.connamespace::regnamespace, f.conname),
                    'columns', f.conkey,
                    'parent', f.confrelid::bigint,
                    'parent_columns', f.confkey,
                    'deferrable', f.condeferrable) order by cardinality(f.conkey) desc, f.conname), '[]')
                from pg_constraint f
                where f.conrelid = c.oid and f.contype = 'f' and f.conparentid = 0),
            'rules', (
                select coalesce(json_agg(rule), '[]')
                from (
                    select json_build_object('name', k.conname, 'columns', k.conkey,
                        'expression', pg_get_constraintdef(k.oid)) as rule
                    from pg_constraint k where k.conrelid = c.oid and k.contype = 'c'
                    union all
                    select json_build_object('name', i.indexrelid::regclass::text, 'columns', i.indkey::smallint[],
                        'expression', concat(pg_get_expr(i.indpred, i.indrelid), pg_get_expr(i.indexprs, i.indrelid)))
                    from pg_index i where i.indrelid = c.oid and (i.indisunique or i.indisexclusion)
                    union all
                    select json_build_object('name', '', 'columns', p.partattrs::smallint[],
                        'expression', coalesce((
                            select string_agg(pg_get_expr(part.relpartbound, part.oid), ' ' order by part.relname)
                            from pg_partition_tree(c.oid) tree
                            join pg_class part on part.oid = tree.relid and part.oid <> c.oid), ''))
                    from pg_partitioned_table p where p.partrelid = c.oid
                ) rules),
            'triggers', (
                select coalesce(string_agg(concat(pg_get_triggerdef(t.oid), ' ', p.prosrc), ' ' order by t.tgname), '')
                from pg_trigger t join pg_proc p on p.oid = t.tgfoid
                where t.tgrelid = c.oid and not t.tgisinternal)
            ) order by c.relnamespace <> quote_ident(current_schema())::regnamespace, c.oid)
        from tables c), '[]'),
    'types', (
        select json_agg(json_build_object(
            'oid', t.oid::bigint,
            'name', t.typname,
            'kind', t.typtype,
            'category', t.typcategory,
            'base', nullif(t.typbasetype, 0)::bigint,
            'modifier', t.typtypmod,
            'not_null', t.typnotnull,
            'element', case when t.typsubscript = 'array_subscript_handler'::regproc
                then nullif(t.typelem, 0)::bigint end,
            'range_of', (select r.rngsubtype::bigint from pg_range r where t.oid in (r.rngtypid, r.rngmultitypid)),
            'labels', (select json_agg(e.enumlabel order by e.enumsortorder) from pg_enum e where e.enumtypid = t.oid),
            'fields', (
                select json_agg(json_build_array(a.atttypid::bigint, a.atttypmod) order by a.attnum)
                from pg_attribute a where a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped),
            'checks', (
                select json_agg(json_build_array(k.conname, pg_get_constraintdef(k.oid)) order by k.conname)
                from pg_constraint k where k.contypid = t.oid and k.contype = 'c')))
        from types t)
)::text as tables
