//! Creates `organizations` and `organizations_users`, their members.
//!
//! Locks: SHARE ROW EXCLUSIVE on `users` for the foreign key (its writers wait, readers don't), and
//! ACCESS EXCLUSIVE on the new tables, which nobody else can see yet. `down` takes ACCESS EXCLUSIVE on
//! all three.
//! `down` loses every organization and membership. Nothing brings them back but a backup.

use sea_orm_migration::prelude::*;

const UP: &str = r#"
create table organizations (
    id bigserial,
    name citext not null,
    display_name text not null default '',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    constraint organizations_pkey primary key (id),
    constraint organizations_name_key unique (name),
    constraint organizations_name_check check (
        char_length(name::text) between 2 and 39 and name::text ~ '^[A-Za-z0-9]+(-[A-Za-z0-9]+)*$'
    ),
    constraint organizations_display_name_check check (char_length(display_name) <= 100)
);

create trigger organizations_set_updated_at before update on organizations
    for each row execute function identitydb_set_updated_at();

comment on table organizations is
    'A group of users that owns things together. A deleted organization keeps the name, so that nobody else can take it over.';
comment on column organizations.name is
    'The handle, unique without regard to letter case: 2 to 39 ASCII letters and digits, with single hyphens inside.';
comment on column organizations.display_name is 'What people read, at most 100 characters; empty: the name will do.';
comment on column organizations.deleted_at is 'When the row was deleted; null: live.';

create table organizations_users (
    id bigserial,
    organization_id bigint not null,
    user_id bigint not null,
    role text not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    constraint organizations_users_pkey primary key (id),
    constraint organizations_users_organization_id_fkey foreign key (organization_id) references organizations (id),
    constraint organizations_users_user_id_fkey foreign key (user_id) references users (id),
    constraint organizations_users_organization_id_user_id_key unique (organization_id, user_id),
    constraint organizations_users_role_check check (role in ('owner', 'admin', 'member'))
);

create index organizations_users_user_id_idx on organizations_users (user_id);

create trigger organizations_users_set_updated_at before update on organizations_users
    for each row execute function identitydb_set_updated_at();

comment on table organizations_users is
    'A user''s membership in an organization. One row per pair for ever: who comes back gets the old row restored.';
comment on column organizations_users.role is
    'owner (may do everything, at least one per organization), admin (manages members) or member.';
comment on column organizations_users.deleted_at is 'When the user left or was removed; null: a member now.';
"#;

const DOWN: &str = r#"
drop table organizations_users;
drop table organizations;
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
