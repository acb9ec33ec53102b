-- The packages that others depend on, most depended on first. What is only needed to test, what comes
-- from another registry, what is yanked and what is deleted does not count. Names are normalized: they are
-- the report's key, and a new spelling must not look like a new package.
with named as (
    select
        dependent.ecosystem_id,
        dependency.namespace,
        dependency.normalized_name,
        max(dependency.package_id) as package_id,
        count(distinct dependent.id) as dependents_count,
        count(distinct version.id) as dependent_versions_count
    from dependencies dependency
    join versions version on version.id = dependency.version_id
    join packages dependent on dependent.id = version.package_id
    where dependency.kind <> 'dev'
      and dependency.registry = ''
      and not version.is_yanked
      and dependency.deleted_at is null
      and version.deleted_at is null
      and dependent.deleted_at is null
    group by dependent.ecosystem_id, dependency.namespace, dependency.normalized_name
)
select
    ecosystem.name as ecosystem,
    named.namespace,
    named.normalized_name as name,
    package.id as ardb_package_id,
    rank() over (
        partition by ecosystem.id order by named.dependents_count desc, named.dependent_versions_count desc
    )::integer as rank,
    named.dependents_count,
    named.dependent_versions_count
from named
join ecosystems ecosystem on ecosystem.id = named.ecosystem_id
left join packages package on package.id = named.package_id and package.deleted_at is null
order by ecosystem.name, named.namespace, name
