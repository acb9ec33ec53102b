-- What is known against version $1.
select
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
from advisory_matches matched
join advisories advisory
    on advisory.id = matched.advisory_id and advisory.withdrawn_at is null and advisory.deleted_at is null
where matched.version_id = $1
order by advisory.identifier collate "C"
