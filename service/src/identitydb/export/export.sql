-- Everything about the user $1 as one JSON document, deleted rows included; of secrets, that they are there.
select json_build_object(
    'user', (select to_jsonb(u) from users u where u.id = $1),
    'names', (select json_agg(to_jsonb(n) - 'canonical_key' order by n.id) from names n where n.user_id = $1),
    'emails', (select json_agg(e order by e.id) from user_emails e where e.user_id = $1),
    'passwords', (select json_agg(to_jsonb(p) - 'hash' order by p.id) from passwords p where p.user_id = $1),
    'sessions', (select json_agg(to_jsonb(s) - 'secret_sha256' order by s.id) from sessions s where s.user_id = $1),
    'api_tokens', (select json_agg(to_jsonb(t) - 'secret_sha256' order by t.id) from api_tokens t where t.user_id = $1),
    'one_time_codes', (
        select json_agg(to_jsonb(c) - 'code_sha256' order by c.id) from one_time_codes c where c.user_id = $1),
    'external_accounts', (
        select json_agg(to_jsonb(a) - 'secret' order by a.id) from external_accounts a where a.user_id = $1),
    'origins', (select json_agg(o order by o.id) from origins o where o.user_id = $1),
    'memberships', (
        select json_agg(to_jsonb(m) || jsonb_build_object('organization', o.name) order by m.id)
        from organizations_users m join organizations o on o.id = m.organization_id where m.user_id = $1),
    'team_memberships', (
        select json_agg(to_jsonb(m) || jsonb_build_object('team', t.name) order by m.id)
        from teams_users m join teams t on t.id = m.team_id where m.user_id = $1),
    'invitations', (
        select json_agg(to_jsonb(i) - 'secret_sha256' order by i.id) from invitations i
        where i.inviter_user_id = $1
           or i.email in (select email from user_emails where user_id = $1 and verified_at is not null)),
    'audit_events', (
        select json_agg(a order by a.id) from audit_events a
        where a.actor_user_id = $1 or (a.object_kind = 'user' and a.object_id = $1)),
    'erasure_requests', (select json_agg(r order by r.id) from erasure_requests r where r.user_id = $1)
) as document
where exists (select from users where id = $1)
