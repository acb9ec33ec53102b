-- The packages that depend on package $1 over at most $2 steps: nearest first, then most popular first; after the one
-- at $3 steps, of popularity $4 and with id $5 (each null: from the first), at most $6.
--
-- A row of `steps` is one step further away: what is reached there and not before, and of that what belongs on the page.
-- So each package is looked at once, however many ways lead to it, and no step is taken when the page is full. What the
-- planner knows nothing about, the length of lists, must not matter: `except` hashes what was seen, and a list is looked
-- up in an index. `offset 0` keeps it from making a list as often as it is used.
with recursive steps (depth, reached, seen, found, page_ids, page_popularities) as (
    select 0, array[$1::bigint], array[$1::bigint], 0::bigint, '{}'::bigint[], '{}'::bigint[]
    union all
    select
        steps.depth + 1,
        next.reached,
        steps.seen || next.reached,
        steps.found + page.found,
        page.ids,
        page.popularities
    from steps
    cross join lateral (
        select array(
            select dependent.dependent_package_id
            from unnest(steps.reached) as former (id)
            join dependents dependent on dependent.package_id = former.id
            except
            select unnest(steps.seen)
        ) as reached
        offset 0
    ) next
    cross join lateral (
        select
            count(*) as found,
            coalesce(array_agg(ranked.package_id), '{}') as ids,
            coalesce(array_agg(ranked.popularity), '{}') as popularities
        from (
            select entry.package_id, entry.popularity
            from package_search_entries entry
            where entry.package_id = any (next.reached)
              and ($3::integer is null or steps.depth + 1 >= $3)
              and ($3 is null or steps.depth + 1 > $3 or (entry.popularity, -entry.package_id) < ($4::bigint, -$5::bigint))
            order by entry.popularity desc, entry.package_id
            limit $6::bigint - steps.found
        ) ranked
    ) page
    where steps.depth < $2::integer and steps.found < $6 and steps.reached <> '{}'
)
select package.id as package_id, package.namespace, package.name, steps.depth, listed.popularity
from steps
cross join unnest(steps.page_ids, steps.page_popularities) as listed (package_id, popularity)
join packages package on package.id = listed.package_id
order by steps.depth, listed.popularity desc, listed.package_id
