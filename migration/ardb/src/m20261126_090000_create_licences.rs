//! Creates `licences` and adds to `versions` what a registry says of an archive beyond its SHA-256: the licence, the
//! size, other checksums.
//!
//! Locks: ACCESS EXCLUSIVE on `versions` while the index on `licence_id` reads the table once; the new columns rewrite
//! nothing, and the CHECKs are over columns that nobody has written yet, but read the table once more. ACCESS EXCLUSIVE
//! on the new table, which nobody else can see yet.
//! `down` loses the licences, sizes and checksums; the next import of a source that changed brings them back.

use sea_orm_migration::prelude::*;

const UP: &str = r#"
create table licences (
    id bigserial,
    expression text not null,
    is_spdx boolean not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    constraint licences_pkey primary key (id),
    constraint licences_expression_key unique (expression),
    constraint licences_expression_check check (octet_length(expression) between 1 and 1024)
);

create trigger licences_set_updated_at before update on licences
    for each row execute function ardb_set_updated_at();

comment on table licences is
    'A licence, or several combined, under which versions are published. A deleted licence keeps its expression; importing it again restores the row.';
comment on column licences.expression is
    'An SPDX licence expression in its canonical spelling; where what was published is none, that text.';
comment on column licences.is_spdx is 'Whether expression is an SPDX licence expression (version 2 of its grammar).';
comment on column licences.deleted_at is 'When the row was deleted; null: live.';

alter table versions
    add column licence text not null default '',
    add column licence_id bigint,
    add column size_bytes bigint,
    add column checksums jsonb not null default '{}',
    add constraint versions_licence_id_fkey foreign key (licence_id) references licences (id),
    add constraint versions_size_bytes_check check (size_bytes >= 0),
    add constraint versions_checksums_check check (jsonb_typeof(checksums) = 'object');

create index versions_licence_id_idx on versions (licence_id);

comment on column versions.licence is 'As published; empty: none given.';
comment on column versions.licence_id is
    'The licence that the published text names; null: none given, too long to be one, or not imported since the column came.';
comment on column versions.size_bytes is 'Of the published archive; null: the registry does not say.';
comment on column versions.checksums is
    'Further checksums of the published archive, an object: from the algorithm in lower case to hexadecimal digits.';
"#;

const DOWN: &str = r#"
drop index versions_licence_id_idx;
alter table versions
    drop column checksums,
    drop column size_bytes,
    drop column licence_id,
    drop column licence;
drop table licences;
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
