-- What advisory_matches should hold. What is about a release of a distribution says nothing of a version, which is of
-- none.
select
    advisory.id as advisory_id,
    found.version_id,
    min(found.affected_package_id) as affected_package_id,
    (
        array_agg(found.fixed order by found.upper_key, found.fixed) filter (where found.fixed is not null)
    )[1] as fixed,
    bool_or(found.is_by_range) as is_by_range,
    bool_or(not found.is_by_range) as is_by_enumeration
from (
    select affected.advisory_id, affected.id as affected_package_id, version.id as version_id, stretch.fixed,
        stretch.upper_key, true as is_by_range
    from affected_packages affected
    join affected_ranges stretches on stretches.affected_package_id = affected.id and stretches.deleted_at is null
    join affected_intervals stretch on stretch.affected_range_id = stretches.id and stretch.deleted_at is null
    join versions version
        on version.package_id = affected.package_id
       and version.sort_key >= stretch.lower_key
       and (
           stretch.upper_key is null
           or version.sort_key < stretch.upper_key
           or (stretch.is_upper_inclusive and version.sort_key = stretch.upper_key)
       )
       and version.deleted_at is null
    where affected.release = '' and affected.deleted_at is null
    union all
    select affected.advisory_id, affected.id, version.id, null, null, false
    from affected_packages affected
    join affected_versions enumerated on enumerated.affected_package_id = affected.id and enumerated.deleted_at is null
    join versions version
        on version.package_id = affected.package_id
       and version.number = enumerated.number
       and version.deleted_at is null
    where affected.release = '' and affected.deleted_at is null
) found
join advisories advisory
    on advisory.id = found.advisory_id and advisory.withdrawn_at is null and advisory.deleted_at is null
group by advisory.id, found.version_id
