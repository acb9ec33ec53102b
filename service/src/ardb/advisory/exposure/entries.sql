-- The entries of standing advisories about packages that components of inventory $1 are, or are built from; $2 is the
-- source of components that come from crates.io. Four lists have an element per stretch with keys, lowest first, in which
-- what is not there is empty; `fixes` are those of all stretches, `numbers` the enumerated versions.
with asked as (
    select affected.id
    from affected_packages affected
    where affected.deleted_at is null
      and exists (
          select
          from inventory_components component
          where component.inventory_id = $1 and component.deleted_at is null
            and component.ecosystem_id = affected.ecosystem_id
            and component.namespace = affected.namespace
            and component.normalized_name = affected.normalized_name
      )
    union
    select affected.id
    from affected_packages affected
    where affected.deleted_at is null
      and exists (
          select
          from inventory_components component
          where component.inventory_id = $1 and component.deleted_at is null
            and component.ecosystem_id = affected.ecosystem_id
            and component.namespace = affected.namespace
            and component.upstream_name = affected.normalized_name
      )
)
select
    affected.ecosystem_id,
    affected.namespace,
    affected.normalized_name,
    affected.release,
    case ecosystem.name when 'cargo' then $2 else '' end as source,
    ecosystem.name = 'rpm' as has_both_names,
    advisory.identifier as advisory,
    advisory.kind,
    advisory.summary,
    advisory.severity,
    advisory.aliases,
    coalesce(stretches.lower_keys, '{}') as lower_keys,
    coalesce(stretches.upper_keys, '{}') as upper_keys,
    coalesce(stretches.are_upper_inclusive, '{}') as are_upper_inclusive,
    coalesce(stretches.fixed, '{}') as fixed,
    coalesce(stretches.fixes, '{}') as fixes,
    array(
        select enumerated.number
        from affected_versions enumerated
        where enumerated.affected_package_id = affected.id and enumerated.deleted_at is null
        order by enumerated.number collate "C"
    ) as numbers
from asked
join affected_packages affected on affected.id = asked.id
join ecosystems ecosystem on ecosystem.id = affected.ecosystem_id
join standing_advisories advisory on advisory.id = affected.advisory_id
left join lateral (
    select
        array_agg(stretch.lower_key order by stretch.lower_key) filter (where stretch.lower_key is not null) as lower_keys,
        array_agg(coalesce(stretch.upper_key, '') order by stretch.lower_key)
            filter (where stretch.lower_key is not null) as upper_keys,
        array_agg(stretch.is_upper_inclusive order by stretch.lower_key)
            filter (where stretch.lower_key is not null) as are_upper_inclusive,
        array_agg(coalesce(stretch.fixed, '') order by stretch.lower_key)
            filter (where stretch.lower_key is not null) as fixed,
        array_agg(stretch.fixed order by stretch.upper_key, stretch.fixed)
            filter (where stretch.fixed is not null) as fixes
    from affected_ranges ranged
    join affected_intervals stretch on stretch.affected_range_id = ranged.id and stretch.deleted_at is null
    where ranged.affected_package_id = affected.id and ranged.deleted_at is null
) stretches on true
