-- Who a token belongs to, and one write a minute at most: the condition on last_used_at is judged again on the row as
-- a concurrent statement has left it.
-- $1: SHA-256 of the secret; $2: the time
with found as materialized (
    select t.id, t.user_id, u.name::text as user_name, t.scopes
    from api_tokens t join users u on u.id = t.user_id
    where t.secret_sha256 = $1 and t.deleted_at is null and (t.expires_at is null or t.expires_at > $2)
        and u.deleted_at is null
), used as (
    update api_tokens t set last_used_at = $2 from found
    where t.id = found.id and (t.last_used_at is null or t.last_used_at <= $2::timestamptz - interval '1 minute')
)
select id, user_id, user_name, scopes from found
