-- What package_search_entries should hold.
select
    made.package_id,
    made.name,
    made.document,
    (
        select count(*)
        from dependents dependent
        where dependent.package_id = made.package_id and dependent.dependent_package_id <> made.package_id
    ) as popularity,
    coalesce(counted.downloads, 0) as downloads
from package_search_documents made
left join package_downloads counted on counted.package_id = made.package_id and counted.deleted_at is null
