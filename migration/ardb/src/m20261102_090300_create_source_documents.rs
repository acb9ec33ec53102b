//! Creates `source_documents`: what was imported, and which state of it.
//!
//! Locks: ACCESS EXCLUSIVE on the new table, which nobody else can see yet.
//! `down` loses the memory of what was imported: the next import reads everything again.

use sea_orm_migration::prelude::*;

const UP: &str = r#"
create table source_documents (
    id bigserial,
    kind text not null,
    locator text not null,
    sha256 bytea not null,
    size_bytes bigint not null,
    imported_at timestamptz not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    constraint source_documents_pkey primary key (id),
    constraint source_documents_kind_locator_key unique (kind, locator),
    constraint source_documents_kind_check check (kind in ('cargo-index', 'osv', 'lockfile')),
    constraint source_documents_locator_check check (octet_length(locator) between 1 and 2048),
    constraint source_documents_sha256_check check (octet_length(sha256) = 32),
    constraint source_documents_size_bytes_check check (size_bytes >= 0)
);

create trigger source_documents_set_updated_at before update on source_documents
    for each row execute function ardb_set_updated_at();

comment on table source_documents is
    'A document that was imported, in the state it last had. A deleted document keeps its locator; importing it again restores the row.';
comment on column source_documents.kind is 'Which importer reads it: cargo-index, osv or lockfile.';
comment on column source_documents.locator is 'Where it is, by a name that stays the same from import to import.';
comment on column source_documents.sha256 is 
    'SHA-256 of what was loaded of it and of what else its rows depend on, 32 bytes; with another value it is read again.';
comment on column source_documents.imported_at is 'When it was imported last.';
comment on column source_documents.deleted_at is 'When the row was deleted; null: live.';
"#;

const DOWN: &str = "drop table source_documents;";

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
