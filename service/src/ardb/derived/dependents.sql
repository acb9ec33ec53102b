-- What dependents should hold.
select dependency.package_id, version.package_id as dependent_package_id, count(*) as dependencies_count
from dependencies dependency
join versions version on version.id = dependency.version_id
where dependency.package_id is not null and dependency.deleted_at is null
group by dependency.package_id, version.package_id
