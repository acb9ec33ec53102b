-- What is new, what differs and what is back; equal rows are left alone.
insert into package_rankings as kept
    (ecosystem, namespace, name, ardb_package_id, rank, dependents_count, dependent_versions_count, refresh_run_id)
select ecosystem, namespace, name, ardb_package_id, rank, dependents_count, dependent_versions_count, $1
from staged_package_rankings
order by ecosystem, namespace, name
on conflict (ecosystem, namespace, name) do update set
    ardb_package_id = excluded.ardb_package_id,
    rank = excluded.rank,
    dependents_count = excluded.dependents_count,
    dependent_versions_count = excluded.dependent_versions_count,
    refresh_run_id = excluded.refresh_run_id,
    deleted_at = null
where (kept.ardb_package_id, kept.rank, kept.dependents_count, kept.dependent_versions_count, kept.deleted_at)
    is distinct from
    (excluded.ardb_package_id, excluded.rank, excluded.dependents_count, excluded.dependent_versions_count, null)
