-- What the exposure finds (each advisory of the benchmark has one interval, so that none is found twice), found by comparing numbers with the function.
select count(*) as matches
from inventory_components component
join affected_packages affected
    on affected.ecosystem_id = component.ecosystem_id
   and affected.namespace = component.namespace
   and affected.normalized_name = component.normalized_name
join affected_ranges stretches on stretches.affected_package_id = affected.id
join affected_intervals stretch on stretch.affected_range_id = stretches.id
where (stretch.introduced = '0' or semver_compare(component.number, stretch.introduced) >= 0)
  and (stretch.fixed is null or semver_compare(component.number, stretch.fixed) < 0)
  and (stretch.last_affected is null or semver_compare(component.number, stretch.last_affected) <= 0)
