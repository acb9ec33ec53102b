//! Creates `names`, the one namespace that users and organizations share, and enters the names that are held.
//!
//! Locks: SHARE ROW EXCLUSIVE on `users` and `organizations` for foreign keys and triggers (their writers wait
//! while every name is read once, readers don't); ACCESS EXCLUSIVE on the new table, which nobody else can see.
//! `down` takes ACCESS EXCLUSIVE on all three.
//! It is refused, with the names, while two holders have names that differ in nothing but letter case, hyphens
//! and characters that look alike: one of them has to be renamed first.
//! `down` loses which released names are in quarantine.

use sea_orm_migration::prelude::*;

const UP: &str = r#"
create function identitydb_name_key(name text) returns bytea
    language sql immutable strict parallel safe
    as $$ select sha256(convert_to(replace(translate(lower(name collate "C"), '01i-', 'oll'), 'rn', 'm'), 'UTF8')) $$;

comment on function identitydb_name_key(text) is
    'SHA-256 of what a name looks like: lower case, without hyphens, 0 as o, 1 and i as l, rn as m.';

create table names (
    id bigserial,
    name citext,
    canonical_key bytea not null,
    user_id bigint,
    organization_id bigint,
    available_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    constraint names_pkey primary key (id),
    constraint names_user_id_fkey foreign key (user_id) references users (id),
    constraint names_organization_id_fkey foreign key (organization_id) references organizations (id),
    constraint names_name_check check (char_length(name::text) <= 39),
    constraint names_canonical_key_check check (octet_length(canonical_key) = 32),
    constraint names_user_id_organization_id_check check (num_nonnulls(user_id, organization_id) <= 1)
);

create unique index names_canonical_key_key on names (canonical_key) where deleted_at is null;
create unique index names_user_id_key on names (user_id) where available_at is null and deleted_at is null;
create unique index names_organization_id_key on names (organization_id)
    where available_at is null and deleted_at is null;
create index names_user_id_idx on names (user_id);
create index names_organization_id_idx on names (organization_id);

create trigger names_set_updated_at before update on names
    for each row execute function identitydb_set_updated_at();

comment on table names is
    'Names that nobody else can take: of a user, of an organization, reserved (neither), or released and in quarantine.';
comment on column names.name is 'As its holder wrote it; null: the holder was erased, and only the key is left.';
comment on column names.canonical_key is 'identitydb_name_key of the name.';
comment on column names.user_id is 'The user who holds it, or held it last; null: no user.';
comment on column names.organization_id is 'The organization that holds it, or held it last; null: no organization.';
comment on column names.available_at is
    'When a released name may be taken by others: 90 days after its holder gave it up; null: it is not released.';
comment on column names.deleted_at is 'When a released name was taken again, in a new row; null: live.';
comment on index names_canonical_key_key is 'Names that look alike are one name. A deleted row is history.';
comment on index names_user_id_key is 'A user holds one name; released ones are in quarantine.';
comment on index names_organization_id_key is 'An organization holds one name; released ones are in quarantine.';

do $$
declare
    alike text;
begin
    lock table users, organizations in share row exclusive mode;
    select string_agg(holders, '; ') into alike from (
        select string_agg(format('%s %L', kind, name), ', ' order by kind, name) as holders
        from (select 'user' as kind, name::text from users union all
              select 'organization', name::text from organizations) as held
        group by identitydb_name_key(name) having count(*) > 1
    ) as collisions;
    if alike is not null then
        raise exception 'names look alike: %', alike using hint = 'Rename all but one of each, then migrate again.';
    end if;
end
$$;

insert into names (name, canonical_key, user_id) select name, identitydb_name_key(name::text), id from users order by id;
insert into names (name, canonical_key, organization_id)
select name, identitydb_name_key(name::text), id from organizations order by id;
insert into names (name, canonical_key)
select name, identitydb_name_key(name)
from unnest(array['admin', 'administrator', 'api', 'archer', 'help', 'login', 'logout', 'moderator', 'official', 'root',
    'security', 'settings', 'staff', 'support', 'system', 'webmaster']) as name
on conflict do nothing;

create function identitydb_hold_name() returns trigger
    language plpgsql
    as $$
declare
    key bytea := identitydb_name_key(new.name::text);
begin
    if tg_op = 'UPDATE' then
        if identitydb_name_key(old.name::text) = key then
            update names set name = new.name where canonical_key = key and deleted_at is null;
            return null;
        end if;
        update names set available_at = now() + interval '90 days'
        where canonical_key = identitydb_name_key(old.name::text) and deleted_at is null;
    end if;
    if tg_table_name = 'users' then
        insert into names (name, canonical_key, user_id) values (new.name, key, new.id);
    else
        insert into names (name, canonical_key, organization_id) values (new.name, key, new.id);
    end if;
    return null;
end
$$;

comment on function identitydb_hold_name() is
    'Trigger function: enters the name of a user or an organization in names, and releases the one before.';

create trigger users_hold_name after insert or update of name on users
    for each row execute function identitydb_hold_name();
create trigger organizations_hold_name after insert or update of name on organizations
    for each row execute function identitydb_hold_name();
"#;

const DOWN: &str = r#"
drop trigger organizations_hold_name on organizations;
drop trigger users_hold_name on users;
drop function identitydb_hold_name();
drop table names;
drop function identitydb_name_key(text);
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
