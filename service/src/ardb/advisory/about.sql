-- The advisories about package $1.
select
    advisory.identifier as advisory,
    advisory.kind,
    advisory.summary,
    advisory.severity,
    advisory.aliases,
    array(
        select distinct stretch.fixed
        from affected_packages affected
        join affected_ranges stretches on stretches.affected_package_id = affected.id and stretches.deleted_at is null
        join affected_intervals stretch on stretch.affected_range_id = stretches.id and stretch.deleted_at is null
        where affected.advisory_id = advisory.id and affected.package_id = $1 and affected.deleted_at is null
          and stretch.fixed is not null
        order by stretch.fixed
    ) as fixed,
    (
        select count(*)
        from advisory_matches matched
        join versions version on version.id = matched.version_id and version.deleted_at is null
        where matched.advisory_id = advisory.id and version.package_id = $1
    ) as affected_versions,
    exists (
        select
        from latest_versions latest
        join advisory_matches matched on matched.version_id = latest.newest_version_id
        where latest.package_id = $1 and matched.advisory_id = advisory.id
    ) as is_newest_affected
from standing_advisories advisory
where exists (
    select
    from affected_packages affected
    where affected.advisory_id = advisory.id and affected.package_id = $1 and affected.deleted_at is null
)
order by advisory.identifier collate "C"
