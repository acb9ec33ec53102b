-- The advisories about package $1, or, where that is null, about what package URLs call type $2, namespace $3 and, in the
-- form by which the ecosystem tells names apart, name $4.
with asked as (
    select ecosystem_id, namespace, normalized_name from packages where id = $1::bigint
    union all
    select id, $3::text, $4::text from ecosystems where $1 is null and purl_type = $2::text
),
affected as materialized (
    select affected.id, affected.advisory_id, affected.package_id
    from asked
    join affected_packages affected using (ecosystem_id, namespace, normalized_name)
    where affected.deleted_at is null
)
select
    advisory.identifier as advisory,
    advisory.kind,
    advisory.summary,
    advisory.severity,
    advisory.aliases,
    array(
        select ended.fixed
        from (
            select distinct on (stretch.fixed) stretch.fixed, stretch.upper_key
            from affected
            join affected_ranges stretches on stretches.affected_package_id = affected.id and stretches.deleted_at is null
            join affected_intervals stretch on stretch.affected_range_id = stretches.id and stretch.deleted_at is null
            where affected.advisory_id = advisory.id and stretch.fixed is not null
            order by stretch.fixed, stretch.upper_key
        ) ended
        order by ended.upper_key, ended.fixed collate "C"
    ) as fixed,
    (
        select count(*)
        from advisory_matches matched
        join versions version on version.id = matched.version_id and version.deleted_at is null
        where matched.advisory_id = advisory.id
          and version.package_id in (select affected.package_id from affected where affected.advisory_id = advisory.id)
    ) as affected_versions,
    exists (
        select
        from affected
        join latest_versions latest on latest.package_id = affected.package_id
        join advisory_matches matched on matched.version_id = latest.newest_version_id
        where affected.advisory_id = advisory.id and matched.advisory_id = advisory.id
    ) as is_newest_affected
from standing_advisories advisory
where advisory.id in (select advisory_id from affected)
order by advisory.identifier collate "C"
