-- The packages that depend on package $1 directly, most popular first, after popularity $2 and package $3 (null: from
-- the first), at most $4.
select
    package.id as package_id,
    package.namespace,
    package.name,
    1 as depth,
    entry.popularity
from dependents dependent
join packages package on package.id = dependent.dependent_package_id and package.deleted_at is null
join package_search_entries entry on entry.package_id = package.id
where dependent.package_id = $1
  and dependent.dependent_package_id <> $1
  and ($3::bigint is null or (entry.popularity, -package.id) < ($2::bigint, -$3::bigint))
order by entry.popularity desc, package.id
limit $4
