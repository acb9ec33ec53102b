-- What package_search_entries should hold.
select
    package.id as package_id,
    package_search_name(package.namespace, package.name) as name,
    package_search_document(package.namespace, package.name) as document,
    count(dependent.dependent_package_id) as popularity
from packages package
left join dependents dependent
    on dependent.package_id = package.id and dependent.dependent_package_id <> package.id
where package.deleted_at is null
group by package.id
