-- The components of inventory $1 that are, or are built from, one of the packages given by ecosystem $2, namespace $3,
-- normalised name $4 and the source $5 of its registry. A row per package, by its place from 1, with lists in which what
-- stands at one place is of one component: a row per component costs more to send and to read than to find. Keys: empty
-- where there is none.
--
-- The arrays are subqueries, about whose length the planner knows nothing: for many packages it would have the statement
-- compiled (jit), which takes longer than running it.
select package.place, false as is_upstream, held.ids, held.names, held.numbers, held.sort_keys, held.releases,
    held.has_upstream, '{}'::text[] as upstream_numbers, '{}'::bytea[] as upstream_sort_keys
from unnest((select $2::bigint[]), (select $3::text[]), (select $4::text[]), (select $5::text[]))
    with ordinality as package (ecosystem_id, namespace, name, source, place)
cross join lateral (
    select
        array_agg(component.id) as ids,
        array_agg(component.name) as names,
        array_agg(component.number) as numbers,
        array_agg(coalesce(component.sort_key, '')) as sort_keys,
        array_agg(component.release) as releases,
        array_agg(component.upstream_name is not null) as has_upstream
    from inventory_components component
    where component.inventory_id = $1 and component.deleted_at is null
      and component.ecosystem_id = package.ecosystem_id
      and component.namespace = package.namespace
      and component.normalized_name = package.name
      and component.source = package.source
) held
where held.ids is not null
union all
select package.place, true, held.ids, held.names, held.numbers, held.sort_keys, held.releases, '{}', held.upstream_numbers,
    held.upstream_sort_keys
from unnest((select $2::bigint[]), (select $3::text[]), (select $4::text[]), (select $5::text[]))
    with ordinality as package (ecosystem_id, namespace, name, source, place)
cross join lateral (
    select
        array_agg(component.id) as ids,
        array_agg(component.name) as names,
        array_agg(component.number) as numbers,
        array_agg(coalesce(component.sort_key, '')) as sort_keys,
        array_agg(component.release) as releases,
        array_agg(component.upstream_number) as upstream_numbers,
        array_agg(coalesce(component.upstream_sort_key, '')) as upstream_sort_keys
    from inventory_components component
    where component.inventory_id = $1 and component.deleted_at is null
      and component.ecosystem_id = package.ecosystem_id
      and component.namespace = package.namespace
      and component.upstream_name = package.name
      and component.source = package.source
) held
where held.ids is not null
