-- Who a session belongs to, and one write a minute at most: the condition on last_used_at is judged again on the row
-- as a concurrent statement has left it.
-- $1: SHA-256 of the secret; $2: the time
with found as materialized (
    select s.id, s.user_id, u.name::text as user_name
    from sessions s join users u on u.id = s.user_id
    where s.secret_sha256 = $1 and s.deleted_at is null and s.expires_at > $2 and u.deleted_at is null
), used as (
    update sessions s set last_used_at = $2 from found
    where s.id = found.id and (s.last_used_at is null or s.last_used_at <= $2::timestamptz - interval '1 minute')
)
select id, user_id, user_name from found
