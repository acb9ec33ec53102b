-- The packages that depend on package $1 over at most $2 steps, nearest first, at most $3. `union` keeps one row per
-- package and number of steps, so that a circle costs a row per step and ends with them.
with recursive reached (package_id, depth) as (
    select $1::bigint, 0
    union
    select dependent.dependent_package_id, reached.depth + 1
    from reached
    join dependents dependent on dependent.package_id = reached.package_id
    where reached.depth < $2::bigint
),
nearest as (
    select package_id, min(depth) as depth from reached where package_id <> $1 group by package_id
)
select package.id as package_id, package.namespace, package.name, nearest.depth, entry.popularity
from nearest
join packages package on package.id = nearest.package_id and package.deleted_at is null
join package_search_entries entry on entry.package_id = package.id
order by nearest.depth, entry.popularity desc, package.id
limit $3
