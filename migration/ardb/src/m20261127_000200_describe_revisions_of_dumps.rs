//! Says what the revision of a dump of crates.io is, which imports keep from now on.
//!
//! Locks: SHARE UPDATE EXCLUSIVE on `source_documents` for a moment, which stops neither readers nor writers. So does
//! `down`, which loses nothing: an older release does not look at the revision of a dump.

use sea_orm_migration::prelude::*;

const UP: &str = r#"
comment on column source_documents.revision is
    'Higher in a newer state of the document, and over all documents of one package: of npm and of crates.io''s dump, when it was made, in milliseconds since 1970; of PyPI, the last serial; null: the document does not say.';
"#;

const DOWN: &str = r#"
comment on column source_documents.revision is
    'Higher in a newer state of the document, and over all documents of one package: of npm, when it was modified, in milliseconds since 1970; of PyPI, the last serial; null: the document does not say.';
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
