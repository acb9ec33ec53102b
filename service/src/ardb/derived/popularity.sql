-- Brings package_search_entries.popularity up to date.
update package_search_entries kept
set popularity = counted.popularity
from (
    select entry.package_id, count(dependent.dependent_package_id) as popularity
    from package_search_entries entry
    left join dependents dependent
        on dependent.package_id = entry.package_id and dependent.dependent_package_id <> entry.package_id
    group by entry.package_id
) counted
where kept.package_id = counted.package_id and kept.popularity <> counted.popularity
