-- When the oldest transaction in this database began, at most a second before this statement, and whether one is hidden
-- from this role.
select
    least(statement_timestamp() - interval '1 second', min(session.xact_start)) as horizon,
    coalesce(bool_or(
        session.xact_start is null and session.query = '<insufficient privilege>'
        and exists (
            select from pg_locks lock
            where lock.pid = session.pid and lock.locktype = 'virtualxid' and lock.granted
        )
    ), false) as is_hidden
from pg_stat_activity session
where session.datname = current_database() and session.pid <> pg_backend_pid()
  and session.backend_type is distinct from 'autovacuum worker'
