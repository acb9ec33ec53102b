-- What is known against version $1.
select
    advisory.identifier as advisory,
    advisory.kind,
    advisory.summary,
    advisory.severity,
    advisory.aliases,
    matched.fixed
from advisory_matches matched
join standing_advisories advisory on advisory.id = matched.advisory_id
where matched.version_id = $1
order by advisory.identifier collate "C"
