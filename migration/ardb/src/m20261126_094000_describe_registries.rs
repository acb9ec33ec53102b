//! Makes room for what npm and PyPI say: peer dependencies, why a version was yanked, and how old a document is.
//!
//! Locks: ACCESS EXCLUSIVE on `dependencies` while its rows are checked once, and on `versions` and `source_documents` for a
//! moment: their new columns rewrite nothing, and the CHECK over one that nobody has written yet reads `versions` once.
//! `down` deletes peer dependencies, and loses reasons and revisions; a document that was imported brings them back when
//! it is imported in another state.

use sea_orm_migration::prelude::*;

const UP: &str = r#"
alter table dependencies drop constraint dependencies_kind_check;
alter table dependencies add constraint dependencies_kind_check check (kind in ('normal', 'build', 'dev', 'peer'));

comment on column dependencies.kind is
    'normal, build (needed to build), dev (needed to test) or peer (to be brought along by whoever depends on the version).';
comment on column dependencies.is_optional is
    'Only there when a feature or an extra of the depending version asks for it; of npm: done without where it is missing.';
comment on column dependencies.features is 'Features (cargo) or extras (PyPI) asked of the package depended on.';
comment on column dependencies.target is
    'The environments it is for, a triple, a cfg expression or a marker (PyPI); empty: all.';
comment on column dependencies.registry is
    'Where else the package is: the index of another registry, jsr, or git, url, file, workspace where the requirement is an address; empty: in the registry that the depending version is in.';

alter table versions
    add column yanked_reason text,
    add constraint versions_yanked_reason_check check (yanked_reason <> '');

comment on column versions.is_yanked is
    'Withdrawn by its publisher, still there for who depends on it already; of npm: deprecated.';
comment on column versions.yanked_reason is 'In the publisher''s words; null: not yanked, or no reason given.';
comment on column versions.attributes is
    'What the ecosystem publishes beyond the columns, an object. Of cargo: rust_version, links, features. Of npm: dist_tags, engines, os, cpu, libc, bundled_dependencies, has_install_script, unpacked_size_bytes, file_count. Of PyPI: requires_python, provides_extra, and files, from each name to its SHA-256.';

alter table source_documents add column revision bigint;

comment on column source_documents.revision is
    'Higher in a newer state of the document, and over all documents of one package: of npm, when it was modified, in milliseconds since 1970; of PyPI, the last serial; null: the document does not say.';
"#;

const DOWN: &str = r#"
comment on column versions.attributes is
    'What the ecosystem publishes beyond the columns, an object; of cargo: rust_version, links, features.';
comment on column versions.is_yanked is 'Withdrawn by its publisher, still there for who depends on it already.';

alter table source_documents drop column revision;
alter table versions drop column yanked_reason;

delete from dependencies where kind = 'peer';
alter table dependencies drop constraint dependencies_kind_check;
alter table dependencies add constraint dependencies_kind_check check (kind in ('normal', 'build', 'dev'));

comment on column dependencies.kind is 'normal, build (needed to build) or dev (needed to test).';
comment on column dependencies.is_optional is 'Only there when a feature of the depending version asks for it.';
comment on column dependencies.features is 'Features asked of the package depended on.';
comment on column dependencies.target is 'The platforms it is for, a triple or a cfg expression; empty: all.';
comment on column dependencies.registry is
    'Index of another registry that holds the package; empty: the one that the depending version is in.';
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
