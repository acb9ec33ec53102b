//! Creates `teams` and `teams_users`, `roles` and `permissions`, and `invitations`.
//!
//! Locks: SHARE ROW EXCLUSIVE on `users` and `organizations` for foreign keys (their writers wait, readers don't);
//! ACCESS EXCLUSIVE on the new tables, which nobody else can see yet. `down` takes ACCESS EXCLUSIVE on all.
//! `down` loses every team, every permission that was given or taken, and every invitation.

use sea_orm_migration::prelude::*;

const UP: &str = r#"
create table teams (
    id bigserial,
    organization_id bigint not null,
    name citext not null,
    display_name text not null default '',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    constraint teams_pkey primary key (id),
    constraint teams_organization_id_fkey foreign key (organization_id) references organizations (id),
    constraint teams_name_check check (
        char_length(name::text) between 2 and 39 and name::text ~ '^[A-Za-z0-9]+(-[A-Za-z0-9]+)*$'
    ),
    constraint teams_display_name_check check (char_length(display_name) <= 100)
);

create unique index teams_organization_id_name_key on teams (organization_id, name) where deleted_at is null;
create index teams_organization_id_idx on teams (organization_id);

create trigger teams_set_updated_at before update on teams
    for each row execute function identitydb_set_updated_at();

comment on table teams is 'Members of an organization who are addressed together. The name of a deleted team is free again.';
comment on column teams.name is 'Unique within the organization without regard to letter case; as the name of an organization.';
comment on column teams.display_name is 'What people read, at most 100 characters; empty: the name will do.';
comment on column teams.deleted_at is 'When the row was deleted; null: live.';
comment on index teams_organization_id_name_key is 'Live teams of an organization have different names.';

create table teams_users (
    id bigserial,
    team_id bigint not null,
    user_id bigint not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    constraint teams_users_pkey primary key (id),
    constraint teams_users_team_id_fkey foreign key (team_id) references teams (id),
    constraint teams_users_user_id_fkey foreign key (user_id) references users (id),
    constraint teams_users_team_id_user_id_key unique (team_id, user_id)
);

create index teams_users_user_id_idx on teams_users (user_id);

create trigger teams_users_set_updated_at before update on teams_users
    for each row execute function identitydb_set_updated_at();

comment on table teams_users is
    'A member of a team, who is a member of its organization. One row per pair for ever: who comes back gets it restored.';
comment on column teams_users.deleted_at is 'When the user left the team or the organization; null: in it now.';

create table roles (
    id bigserial,
    name text not null,
    description text not null default '',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    constraint roles_pkey primary key (id),
    constraint roles_name_key unique (name),
    constraint roles_name_check check (name ~ '^[a-z][a-z0-9-]{0,31}$')
);

create trigger roles_set_updated_at before update on roles
    for each row execute function identitydb_set_updated_at();

comment on table roles is
    'What organizations_users.role names. A deleted role keeps the name, and grants nothing until it is restored.';
comment on column roles.description is 'For people; may be empty.';
comment on column roles.deleted_at is 'When the row was deleted; null: live.';

create table permissions (
    id bigserial,
    role_id bigint not null,
    action text not null,
    object text not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    constraint permissions_pkey primary key (id),
    constraint permissions_role_id_fkey foreign key (role_id) references roles (id),
    constraint permissions_role_id_action_object_key unique (role_id, action, object),
    constraint permissions_action_check check (action ~ '^[a-z][a-z-]{0,31}$'),
    constraint permissions_object_check check (object in ('organization', 'team'))
);

create trigger permissions_set_updated_at before update on permissions
    for each row execute function identitydb_set_updated_at();

comment on table permissions is
    'What a role may do. One row per role, action and object for ever: what is granted again is restored.';
comment on column permissions.action is 'Such as read, update, delete, manage-members, manage-teams, invite, read-audit.';
comment on column permissions.object is 'What it is done to: the organization itself, or a team of it.';
comment on column permissions.deleted_at is 'When it was withdrawn; null: granted.';

insert into roles (name, description) values
    ('owner', 'Everything; an organization has at least one'),
    ('admin', 'Manages members and teams'),
    ('member', 'Belongs to it');
insert into permissions (role_id, action, object)
select roles.id, action, object
from (values
    ('owner', 'organization', array['read', 'update', 'delete', 'manage-members', 'manage-owners', 'manage-teams', 'invite', 'read-audit']),
    ('owner', 'team', array['read', 'update', 'delete', 'manage-members']),
    ('admin', 'organization', array['read', 'update', 'manage-members', 'manage-teams', 'invite', 'read-audit']),
    ('admin', 'team', array['read', 'update', 'delete', 'manage-members']),
    ('member', 'organization', array['read']),
    ('member', 'team', array['read'])
) as granted (role, object, actions)
join roles on roles.name = role
cross join unnest(actions) as action
order by roles.id, object, action;

create table invitations (
    id bigserial,
    organization_id bigint not null,
    email citext not null,
    role text not null,
    inviter_user_id bigint not null,
    secret_sha256 bytea not null,
    expires_at timestamptz not null,
    accepted_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    constraint invitations_pkey primary key (id),
    constraint invitations_organization_id_fkey foreign key (organization_id) references organizations (id),
    constraint invitations_inviter_user_id_fkey foreign key (inviter_user_id) references users (id),
    constraint invitations_email_check check (octet_length(email::text) <= 254 and email::text like '_%@_%'),
    constraint invitations_role_check check (role in ('owner', 'admin', 'member')),
    constraint invitations_secret_sha256_check check (octet_length(secret_sha256) = 32)
);

create unique index invitations_organization_id_email_key on invitations (organization_id, email)
    where accepted_at is null and deleted_at is null;
create unique index invitations_secret_sha256_key on invitations (secret_sha256) where deleted_at is null;
create index invitations_organization_id_idx on invitations (organization_id);
create index invitations_inviter_user_id_idx on invitations (inviter_user_id);

create trigger invitations_set_updated_at before update on invitations
    for each row execute function identitydb_set_updated_at();

comment on table invitations is
    'An address that was asked to join an organization. Asking again withdraws the invitation before.';
comment on column invitations.role is 'What the member is going to be: owner, admin or member.';
comment on column invitations.inviter_user_id is 'Who asked.';
comment on column invitations.secret_sha256 is 'SHA-256 of the secret in the mail.';
comment on column invitations.accepted_at is 'When somebody joined with it; null: not yet.';
comment on column invitations.deleted_at is 'When it was withdrawn; null: live.';
comment on index invitations_organization_id_email_key is 'One open invitation per address.';
comment on index invitations_secret_sha256_key is 'A secret is of one live invitation.';
"#;

const DOWN: &str = r#"
drop table invitations;
drop table permissions;
drop table roles;
drop table teams_users;
drop table teams;
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
