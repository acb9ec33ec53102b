//! Creates the roles `identitydb_owner`, `identitydb_writer` and `identitydb_reader`, and says what each may do.
//!
//! Locks: none that anybody waits for; grants change the catalog alone.
//! Roles belong to the cluster, not to the database: where they are already, they are used, and `down` takes away
//! what they may do here and leaves the roles themselves, which other databases may use. Creating them takes
//! CREATEROLE; without it, have them created beforehand.
//!
//! None of them can log in. A login is made a member: `grant identitydb_writer to app`.
//!
//! | role | may |
//! |---|---|
//! | owner | everything with the rows, and create objects beside them; for who migrates |
//! | writer | read and change every table, and only add to `audit_events`; for services |
//! | reader | read what holds no secret and no origin; for reports |

use sea_orm_migration::prelude::*;

const UP: &str = r#"
do $$
declare
    wanted text;
begin
    foreach wanted in array array['identitydb_owner', 'identitydb_writer', 'identitydb_reader'] loop
        if not exists (select from pg_roles where rolname = wanted) then
            begin
                execute format('create role %I nologin', wanted);
            exception
                -- Another database of the cluster was quicker.
                when duplicate_object or unique_violation then null;
            end;
        end if;
    end loop;
    execute format('grant usage on schema %I to identitydb_owner, identitydb_writer, identitydb_reader', current_schema());
    execute format('grant create on schema %I to identitydb_owner', current_schema());
end
$$;

grant all on users, user_emails, organizations, organizations_users, names, origins, sessions, passwords, api_tokens,
    one_time_codes, external_accounts, teams, teams_users, roles, permissions, invitations, erasure_requests,
    audit_events to identitydb_owner;
grant select, insert, update, delete on users, user_emails, organizations, organizations_users, names, origins, sessions,
    passwords, api_tokens, one_time_codes, external_accounts, teams, teams_users, roles, permissions, invitations,
    erasure_requests to identitydb_writer;
grant select, insert on audit_events to identitydb_writer;
grant select on users, user_emails, organizations, organizations_users, names, teams, teams_users, roles, permissions,
    erasure_requests, audit_events to identitydb_reader;

grant usage, select on sequence users_id_seq, user_emails_id_seq, organizations_id_seq, organizations_users_id_seq,
    names_id_seq, origins_id_seq, sessions_id_seq, passwords_id_seq, api_tokens_id_seq, one_time_codes_id_seq,
    external_accounts_id_seq, teams_id_seq, teams_users_id_seq, roles_id_seq, permissions_id_seq, invitations_id_seq,
    erasure_requests_id_seq, audit_events_id_seq to identitydb_owner, identitydb_writer;
grant execute on function identitydb_add_audit_month(date) to identitydb_owner, identitydb_writer;
"#;

const DOWN: &str = r#"
revoke execute on function identitydb_add_audit_month(date) from identitydb_owner, identitydb_writer;
revoke all on sequence users_id_seq, user_emails_id_seq, organizations_id_seq, organizations_users_id_seq,
    names_id_seq, origins_id_seq, sessions_id_seq, passwords_id_seq, api_tokens_id_seq, one_time_codes_id_seq,
    external_accounts_id_seq, teams_id_seq, teams_users_id_seq, roles_id_seq, permissions_id_seq, invitations_id_seq,
    erasure_requests_id_seq, audit_events_id_seq from identitydb_owner, identitydb_writer;
revoke all on users, user_emails, organizations, organizations_users, names, origins, sessions, passwords, api_tokens,
    one_time_codes, external_accounts, teams, teams_users, roles, permissions, invitations, erasure_requests,
    audit_events from identitydb_owner, identitydb_writer, identitydb_reader;
do $$
begin
    execute format('revoke create on schema %I from identitydb_owner', current_schema());
    execute format('revoke usage on schema %I from identitydb_owner, identitydb_writer, identitydb_reader', current_schema());
end
$$;
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
