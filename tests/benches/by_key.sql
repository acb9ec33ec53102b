-- What the exposure finds (each advisory of the benchmark has one interval, so that none is found twice), found by comparing sort keys.
select count(*) as matches
from inventory_components component
join affected_packages affected
    on affected.ecosystem_id = component.ecosystem_id
   and affected.namespace = component.namespace
   and affected.normalized_name = component.normalized_name
join affected_ranges stretches on stretches.affected_package_id = affected.id
join affected_intervals stretch on stretch.affected_range_id = stretches.id
where component.sort_key >= stretch.lower_key
  and (
      stretch.upper_key is null
      or component.sort_key < stretch.upper_key
      or (stretch.is_upper_inclusive and component.sort_key = stretch.upper_key)
  )
