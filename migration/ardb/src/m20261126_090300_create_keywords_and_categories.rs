//! Creates `keywords` and `categories`, and which packages carry them.
//!
//! Locks: SHARE ROW EXCLUSIVE on `ecosystems` and `packages` for the foreign keys (their writers wait, readers don't), and
//! ACCESS EXCLUSIVE on the new tables, which nobody else can see yet.
//! `down` loses keywords and categories; importing a registry's data again brings them back.

use sea_orm_migration::prelude::*;

const UP: &str = r#"
create table keywords (
    id bigserial,
    name text not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    constraint keywords_pkey primary key (id),
    constraint keywords_name_key unique (name),
    constraint keywords_name_check check (name = lower(name) and octet_length(name) between 1 and 256)
);

create trigger keywords_set_updated_at before update on keywords
    for each row execute function ardb_set_updated_at();

comment on table keywords is
    'A word that publishers give their packages, in any ecosystem. A deleted keyword keeps the name; importing it again restores the row.';
comment on column keywords.name is 'In lower case.';
comment on column keywords.deleted_at is 'When the row was deleted; null: live.';

create table keywords_packages (
    id bigserial,
    keyword_id bigint not null,
    package_id bigint not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    constraint keywords_packages_pkey primary key (id),
    constraint keywords_packages_keyword_id_fkey foreign key (keyword_id) references keywords (id),
    constraint keywords_packages_package_id_fkey foreign key (package_id) references packages (id),
    constraint keywords_packages_keyword_id_package_id_key unique (keyword_id, package_id)
);

create index keywords_packages_package_id_idx on keywords_packages (package_id);

create trigger keywords_packages_set_updated_at before update on keywords_packages
    for each row execute function ardb_set_updated_at();

comment on table keywords_packages is
    'Which package carries which keyword. A deleted pair stays; importing it again restores the row.';
comment on column keywords_packages.deleted_at is 'When the row was deleted; null: live.';

create table categories (
    id bigserial,
    ecosystem_id bigint not null,
    slug text not null,
    name text not null,
    description text not null default '',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    constraint categories_pkey primary key (id),
    constraint categories_ecosystem_id_fkey foreign key (ecosystem_id) references ecosystems (id),
    constraint categories_ecosystem_id_slug_key unique (ecosystem_id, slug),
    constraint categories_slug_check check (octet_length(slug) between 1 and 256),
    constraint categories_name_check check (octet_length(name) between 1 and 256)
);

create trigger categories_set_updated_at before update on categories
    for each row execute function ardb_set_updated_at();

comment on table categories is
    'A category that a registry sorts its packages into. A deleted category keeps its slug; importing it again restores the row.';
comment on column categories.slug is
    'By which the registry tells categories apart; of one within another, the whole path, such as science::robotics.';
comment on column categories.name is 'As shown to people.';
comment on column categories.description is 'As published; empty: none given.';
comment on column categories.deleted_at is 'When the row was deleted; null: live.';

create table categories_packages (
    id bigserial,
    category_id bigint not null,
    package_id bigint not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    constraint categories_packages_pkey primary key (id),
    constraint categories_packages_category_id_fkey foreign key (category_id) references categories (id),
    constraint categories_packages_package_id_fkey foreign key (package_id) references packages (id),
    constraint categories_packages_category_id_package_id_key unique (category_id, package_id)
);

create index categories_packages_package_id_idx on categories_packages (package_id);

create trigger categories_packages_set_updated_at before update on categories_packages
    for each row execute function ardb_set_updated_at();

comment on table categories_packages is
    'Which package is in which category. A deleted pair stays; importing it again restores the row.';
comment on column categories_packages.deleted_at is 'When the row was deleted; null: live.';
"#;

const DOWN: &str = r#"
drop table categories_packages;
drop table categories;
drop table keywords_packages;
drop table keywords;
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
