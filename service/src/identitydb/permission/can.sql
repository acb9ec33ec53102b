-- Whether the live user $1 has, by the role in a live organization, the permission to do $2 to what $3 calls
-- 'organization' (of id $4) or 'team' (of id $4, in any organization).
select exists (
    select
    from organizations o
    join organizations_users m on m.organization_id = o.id and m.user_id = $1 and m.deleted_at is null
    join users u on u.id = m.user_id and u.deleted_at is null
    join roles r on r.name = m.role and r.deleted_at is null
    join permissions p on p.role_id = r.id and p.action = $2 and p.object = $3 and p.deleted_at is null
    where o.deleted_at is null and o.id = case $3
        when 'organization' then $4
        when 'team' then (select organization_id from teams where id = $4 and deleted_at is null)
    end
) as can
