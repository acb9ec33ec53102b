//! Lets `source_documents` hold what further importers read: crates.io's database dump, npm's and PyPI's documents, SBOMs.
//!
//! Locks: ACCESS EXCLUSIVE on `source_documents` while its rows are checked once.
//! `down` keeps the documents of these kinds, since rows may refer to them, as lockfiles whose locators begin with their
//! kind and id; what they brought stays, and the next import reads them again.

use sea_orm_migration::prelude::*;

const UP: &str = r#"
alter table source_documents drop constraint source_documents_kind_check;
alter table source_documents add constraint source_documents_kind_check check (kind in (
    'cargo-index', 'crates-io-dump', 'osv', 'npm', 'pypi', 'sbom', 'lockfile'
));
comment on column source_documents.kind is
    'Which importer reads it: cargo-index, crates-io-dump, osv, npm, pypi, sbom or lockfile.';
"#;

const DOWN: &str = r#"
update source_documents set kind = 'lockfile', locator = left(format('%s %s %s', kind, id, locator), 512)
where kind in ('crates-io-dump', 'npm', 'pypi', 'sbom');

alter table source_documents drop constraint source_documents_kind_check;
alter table source_documents add constraint source_documents_kind_check check (kind in ('cargo-index', 'osv', 'lockfile'));
comment on column source_documents.kind is 'Which importer reads it: cargo-index, osv or lockfile.';
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
