-- A line for every migration that is in the ledger or was ever run: what it was applied from, and its last run.
with log as (
    select id, runner, migration, action, transactional, started_at, finished_at, success, error, checksum
    from {log} as entries
),
last_run as (select distinct on (migration) * from log order by migration, id desc),
accepted as (
    select distinct on (migration) migration, runner, checksum
    from log where success and action <> 'down'
    order by migration, id desc
),
application as (
    select migration, max(id) as id from log where success and action in ('up', 'baseline') group by migration
)
select coalesce(applied.version, last_run.migration) as version, applied.applied_at,
    coalesce(accepted.runner, last_run.runner) as runner, accepted.checksum, application.id as applied_id,
    last_run.action as last_action, last_run.transactional, last_run.started_at, last_run.finished_at,
    last_run.success, last_run.error
from ({applied}) as applied
full join last_run on last_run.migration = applied.version
left join accepted on accepted.migration = applied.version
left join application on application.migration = applied.version
order by applied.applied_at, application.id, 1
