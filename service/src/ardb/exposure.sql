-- What is known against the components of inventory $1; $2 is the source of those that come from crates.io.
with component as (
    select component.*
    from inventory_components component
    join ecosystems ecosystem on ecosystem.id = component.ecosystem_id
    where component.inventory_id = $1
      and component.deleted_at is null
      and component.source = case ecosystem.name when 'cargo' then $2 else '' end
),
candidate as (
    select component.id as component_id, component.number, component.sort_key, affected.id as affected_package_id,
        affected.advisory_id
    from component
    join affected_packages affected
        on affected.ecosystem_id = component.ecosystem_id
       and affected.namespace = component.namespace
       and affected.normalized_name = component.normalized_name
       and affected.deleted_at is null
),
by_range as (
    select candidate.component_id, candidate.advisory_id, stretch.fixed
    from candidate
    join affected_ranges stretches
        on stretches.affected_package_id = candidate.affected_package_id and stretches.deleted_at is null
    join affected_intervals stretch on stretch.affected_range_id = stretches.id and stretch.deleted_at is null
    where candidate.sort_key >= stretch.lower_key
      and (
          stretch.upper_key is null
          or candidate.sort_key < stretch.upper_key
          or (stretch.is_upper_inclusive and candidate.sort_key = stretch.upper_key)
      )
),
by_enumeration as (
    select candidate.component_id, candidate.advisory_id, stretch.fixed
    from candidate
    join affected_versions enumerated
        on enumerated.affected_package_id = candidate.affected_package_id
       and enumerated.number = candidate.number
       and enumerated.deleted_at is null
    left join affected_ranges stretches
        on stretches.affected_package_id = candidate.affected_package_id and stretches.deleted_at is null
    left join affected_intervals stretch on stretch.affected_range_id = stretches.id and stretch.deleted_at is null
    where not exists (
        select
        from by_range
        where by_range.component_id = candidate.component_id and by_range.advisory_id = candidate.advisory_id
    )
),
matched as (
    select
        found.component_id,
        found.advisory_id,
        coalesce(
            array_agg(distinct found.fixed order by found.fixed) filter (where found.fixed is not null), '{}'
        ) as fixed
    from (select * from by_range union all select * from by_enumeration) found
    group by found.component_id, found.advisory_id
)
select
    component.namespace,
    component.name,
    component.number,
    advisory.identifier as advisory,
    advisory.kind,
    advisory.summary,
    advisory.severity,
    array(
        select alias.alias
        from advisory_aliases alias
        where alias.advisory_id = advisory.id and alias.deleted_at is null
        order by alias.alias collate "C"
    ) as aliases,
    matched.fixed
from matched
join component on component.id = matched.component_id
join advisories advisory on advisory.id = matched.advisory_id
where advisory.withdrawn_at is null
  and advisory.deleted_at is null
order by
    component.namespace collate "C", component.normalized_name collate "C", component.sort_key, component.number,
    advisory.identifier collate "C"
