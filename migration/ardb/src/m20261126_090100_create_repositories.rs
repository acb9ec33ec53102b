//! Creates `repositories` and adds to `packages` what their publishers say of them: purl, status, description, links.
//!
//! Locks: ACCESS EXCLUSIVE on `packages` while the index on `repository_id` and the CHECKs read the table; the new
//! columns rewrite nothing. ACCESS EXCLUSIVE on the new table, which nobody else can see yet.
//! `down` loses the descriptions, links and repositories; the next import of a source that changed brings them back.

use sea_orm_migration::prelude::*;

const UP: &str = r#"
create table repositories (
    id bigserial,
    url text not null,
    host text not null,
    path text not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    constraint repositories_pkey primary key (id),
    constraint repositories_url_key unique (url),
    constraint repositories_url_check check (url ~ '^https://' and octet_length(url) <= 1024),
    constraint repositories_host_check check (octet_length(host) between 1 and 256),
    constraint repositories_path_check check (octet_length(path) between 1 and 1024)
);

create trigger repositories_set_updated_at before update on repositories
    for each row execute function ardb_set_updated_at();

comment on table repositories is
    'A repository that packages are developed in. A deleted repository keeps its URL; importing it again restores the row.';
comment on column repositories.url is
    'Its page: https, host in lower case, no user, no port, no .git, no query, no trailing slash.';
comment on column repositories.host is 'Of the URL, such as git.example.org.';
comment on column repositories.path is 'Of the URL without the leading slash, such as acme/rocket.';
comment on column repositories.deleted_at is 'When the row was deleted; null: live.';

alter table packages
    add column purl text,
    add column status text not null default 'active',
    add column description text not null default '',
    add column homepage_url text not null default '',
    add column documentation_url text not null default '',
    add column repository_id bigint,
    add constraint packages_repository_id_fkey foreign key (repository_id) references repositories (id),
    add constraint packages_purl_check check (octet_length(purl) between 1 and 2048),
    add constraint packages_status_check check (status in ('active', 'deprecated', 'archived', 'removed'));

create index packages_repository_id_idx on packages (repository_id);

comment on column packages.purl is
    'The package URL, without a version; null: the ecosystem has no purl type, or not imported since the column came.';
comment on column packages.status is
    'active, deprecated (its publisher advises against it), archived (no longer worked on) or removed (no longer in the registry).';
comment on column packages.description is 'As published; empty: none given.';
comment on column packages.homepage_url is 'As published; empty: none given.';
comment on column packages.documentation_url is 'As published; empty: none given.';
comment on column packages.repository_id is
    'Where it is developed; null: not given, or what was given is no URL of a repository.';
"#;

const DOWN: &str = r#"
drop index packages_repository_id_idx;
alter table packages
    drop column repository_id,
    drop column documentation_url,
    drop column homepage_url,
    drop column description,
    drop column status,
    drop column purl;
drop table repositories;
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
