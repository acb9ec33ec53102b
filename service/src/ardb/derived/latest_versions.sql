-- What latest_versions should hold.
select
    package_id,
    (
        array_agg(id order by sort_key desc, number desc) filter (where not is_yanked and sort_key is not null)
    )[1] as newest_version_id,
    (
        array_agg(id order by sort_key desc, number desc)
            filter (where not is_yanked and sort_key is not null and not is_prerelease)
    )[1] as newest_stable_version_id,
    count(*) as versions_count
from versions
where deleted_at is null
group by package_id
