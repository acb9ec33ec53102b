-- The advisories that affect number $2, whose sort key is $3 (null: only enumeration counts), of package $1.
select advisory.*
from advisories advisory
where advisory.withdrawn_at is null
  and advisory.deleted_at is null
  and exists (
      select
      from affected_packages affected
      where affected.advisory_id = advisory.id
        and affected.package_id = $1
        -- A version is published, not built for a release of a distribution.
        and affected.release = ''
        and affected.deleted_at is null
        and (
            exists (
                select
                from affected_versions enumerated
                where enumerated.affected_package_id = affected.id
                  and enumerated.number = $2
                  and enumerated.deleted_at is null
            )
            or exists (
                select
                from affected_ranges stretches
                join affected_intervals stretch on stretch.affected_range_id = stretches.id
                where stretches.affected_package_id = affected.id
                  and $3 >= stretch.lower_key
                  and (
                      stretch.upper_key is null
                      or $3 < stretch.upper_key
                      or (stretch.is_upper_inclusive and $3 = stretch.upper_key)
                  )
                  and stretches.deleted_at is null
                  and stretch.deleted_at is null
            )
        )
  )
order by advisory.identifier collate "C"
