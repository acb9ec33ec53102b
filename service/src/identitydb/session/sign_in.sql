-- The live password of the live user who is called $1, or has verified it as an address.
select p.*
from passwords p join users u on u.id = p.user_id
where p.deleted_at is null and u.deleted_at is null and (
    u.name = $1::citext
    or u.id = (select user_id from user_emails where email = $1::citext and verified_at is not null and deleted_at is null)
)
