-- Brings popularity and downloads in package_search_entries up to date.
update package_search_entries kept
set popularity = known.popularity, downloads = known.downloads
from (
    select entry.package_id, coalesce(used.popularity, 0) as popularity, coalesce(counted.downloads, 0) as downloads
    from package_search_entries entry
    left join (
        select package_id, count(*) as popularity
        from dependents
        where dependent_package_id <> package_id
        group by package_id
    ) used on used.package_id = entry.package_id
    left join package_downloads counted on counted.package_id = entry.package_id and counted.deleted_at is null
) known
where kept.package_id = known.package_id
  and (kept.popularity, kept.downloads) <> (known.popularity, known.downloads)
