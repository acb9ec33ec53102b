//! Makes `identitydb_owner` the owner of every table and function, so that whoever is a member of it can migrate, and
//! lets `identitydb_writer` read which migrations are applied, so that a service can tell whether it is ready.
//!
//! Locks: ACCESS EXCLUSIVE on every table for the moment in which the catalog changes; no row is read or written.
//! Who migrates has to be a member of `identitydb_owner` from now on; a role that has created it becomes one.
//! What a later migration creates belongs to who runs it, and has to be handed over in the same way.
//! The ledger and the log stay with who began them, and other members may write there. A log that is begun later,
//! after a plain `sea-orm-migration`, is granted by hand.
//! `down` makes who runs it the owner, and needs a login that is a member: `identitydb_owner` itself would take its
//! own rights away with the migration before. It loses no data.

use sea_orm_migration::prelude::*;

const UP: &str = r#"
do $$
declare
    what text;
begin
    -- A membership that can't be used to become the role is not enough; PostgreSQL 15 knows no such.
    if not pg_has_role('identitydb_owner', case when current_setting('server_version_num')::int < 160000 then 'member' else 'set' end) then
        execute format('grant identitydb_owner to %I', current_user);
    end if;
    for what in
        select format('table %I', name) from unnest(array['users', 'user_emails', 'organizations', 'organizations_users',
            'names', 'origins', 'sessions', 'passwords', 'api_tokens', 'one_time_codes', 'external_accounts', 'teams',
            'teams_users', 'roles', 'permissions', 'invitations', 'erasure_requests', 'audit_events']) as name
        union all
        select format('table %s', inhrelid::regclass) from pg_inherits where inhparent = 'audit_events'::regclass
        union all
        select format('function %s', oid::regprocedure) from pg_proc
        where pronamespace = quote_ident(current_schema())::regnamespace and proname like 'identitydb\_%'
    loop
        execute format('alter %s owner to identitydb_owner', what);
    end loop;
    for what in
        select oid::regclass from pg_class where relnamespace = quote_ident(current_schema())::regnamespace
            and relname in ('identitydb_migrations', 'identitydb_migrations_log')
    loop
        execute format('grant select, insert, update, delete on %s to identitydb_owner', what);
        execute format('grant select on %s to identitydb_writer', what);
    end loop;
end
$$;
"#;

const DOWN: &str = r#"
do $$
declare
    what text;
begin
    if current_user = 'identitydb_owner' then
        raise exception 'identitydb_owner can''t hand over to itself'
            using hint = 'Connect as a login that is a member of it, and don''t set the role.';
    end if;
    for what in
        select oid::regclass from pg_class where relnamespace = quote_ident(current_schema())::regnamespace
            and relname in ('identitydb_migrations', 'identitydb_migrations_log')
    loop
        execute format('revoke select, insert, update, delete on %s from identitydb_owner', what);
        execute format('revoke select on %s from identitydb_writer', what);
    end loop;
    for what in
        select format('table %I', name) from unnest(array['users', 'user_emails', 'organizations', 'organizations_users',
            'names', 'origins', 'sessions', 'passwords', 'api_tokens', 'one_time_codes', 'external_accounts', 'teams',
            'teams_users', 'roles', 'permissions', 'invitations', 'erasure_requests', 'audit_events']) as name
        union all
        select format('table %s', inhrelid::regclass) from pg_inherits where inhparent = 'audit_events'::regclass
        union all
        select format('function %s', oid::regprocedure) from pg_proc
        where pronamespace = quote_ident(current_schema())::regnamespace and proname like 'identitydb\_%'
    loop
        execute format('alter %s owner to current_user', what);
    end loop;
end
$$;

-- What it had been granted was one with what an owner may.
grant all on users, user_emails, organizations, organizations_users, names, origins, sessions, passwords, api_tokens,
    one_time_codes, external_accounts, teams, teams_users, roles, permissions, invitations, erasure_requests,
    audit_events to identitydb_owner;
grant usage, select on sequence users_id_seq, user_emails_id_seq, organizations_id_seq, organizations_users_id_seq,
    names_id_seq, origins_id_seq, sessions_id_seq, passwords_id_seq, api_tokens_id_seq, one_time_codes_id_seq,
    external_accounts_id_seq, teams_id_seq, teams_users_id_seq, roles_id_seq, permissions_id_seq, invitations_id_seq,
    erasure_requests_id_seq, audit_events_id_seq to identitydb_owner;
grant execute on function identitydb_add_audit_month(date) to identitydb_owner;
"#;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared(UP).await.map(drop)
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared(DOWN).await.map(drop)
    }
}
