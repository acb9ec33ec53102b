//! Creates `users` and `user_emails`.
//!
//! Locks: ACCESS EXCLUSIVE on the new tables, which nobody else can see yet.
//! `down` loses every user and email address. Nothing brings them back but a backup.

use sea_orm_migration::prelude::*;

const UP: &str = r#"
create table users (
    id bigserial,
    name citext not null,
    display_name text not null default '',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    constraint users_pkey primary key (id),
    constraint users_name_key unique (name),
    constraint users_name_check check (
        char_length(name::text) between 2 and 39 and name::text ~ '^[A-Za-z0-9]+(-[A-Za-z0-9]+)*$'
    ),
    constraint users_display_name_check check (char_length(display_name) <= 100)
);

create trigger users_set_updated_at before update on users
    for each row execute function identitydb_set_updated_at();

comment on table users is
    'A person with an account. A deleted user keeps the name, so that nobody else can take it over.';
comment on column users.name is
    'The handle, unique without regard to letter case: 2 to 39 ASCII letters and digits, with single hyphens inside.';
comment on column users.display_name is 'What people read, at most 100 characters; empty: the name will do.';
comment on column users.deleted_at is 'When the row was deleted; null: live.';

create table user_emails (
    id bigserial,
    user_id bigint not null,
    email citext not null,
    is_primary boolean not null default false,
    verified_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    constraint user_emails_pkey primary key (id),
    constraint user_emails_user_id_fkey foreign key (user_id) references users (id),
    constraint user_emails_email_check check (
        octet_length(email::text) <= 254
        and email::text ~ '^[A-Za-z0-9.!#$%&''*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?([.][A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)+$'
    )
);

create index user_emails_user_id_idx on user_emails (user_id);
create unique index user_emails_user_id_key on user_emails (user_id) where is_primary and deleted_at is null;
create unique index user_emails_user_id_email_key on user_emails (user_id, email) where deleted_at is null;
create unique index user_emails_email_key on user_emails (email) where verified_at is not null and deleted_at is null;

create trigger user_emails_set_updated_at before update on user_emails
    for each row execute function identitydb_set_updated_at();

comment on table user_emails is
    'An email address that a user gave. A deleted address is free again, for the same user or another.';
comment on column user_emails.email is
    'As given, compared without regard to letter case; of the form that an HTML email field takes, with a dot in the domain.';
comment on column user_emails.is_primary is 'Where mail to the user goes.';
comment on column user_emails.verified_at is
    'When the user proved that the address is theirs; null: not yet, and then others may give it, too.';
comment on column user_emails.deleted_at is 'When the row was deleted; null: live.';
comment on index user_emails_user_id_key is 'At most one live primary address per user.';
comment on index user_emails_user_id_email_key is 'A user gives an address once.';
comment on index user_emails_email_key is 'A live address is proven by one user at most.';
"#;

const DOWN: &str = r#"
drop table user_emails;
drop table users;
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
