//! `source_documents`: a document that was imported, in the state it last had.

use sea_orm::entity::prelude::*;

/// Id of a row in `source_documents`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, DeriveValueType)]
pub struct SourceDocumentId(pub i64);

/// Which importer reads a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "kebab-case")]
pub enum DocumentKind {
    /// One crate's file of a cargo registry index.
    CargoIndex,
    /// A table of crates.io's database dump.
    CratesIoDump,
    /// A record in OSV form.
    Osv,
    /// What npm's registry says of a package.
    Npm,
    /// What PyPI says of a project.
    Pypi,
    /// A software bill of materials.
    Sbom,
    /// A lockfile.
    Lockfile,
}

/// A row of `source_documents`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "source_documents")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: SourceDocumentId,
    #[sea_orm(unique_key = "locator")]
    pub kind: DocumentKind,
    /// Where it is, by a name that stays the same from import to import.
    #[sea_orm(unique_key = "locator")]
    pub locator: String,
    /// SHA-256 of what was loaded of it and of what else its rows depend on, 32 bytes; with another value it is read
    /// again.
    pub sha256: Vec<u8>,
    pub size_bytes: i64,
    /// When it was imported last (UTC).
    pub imported_at: DateTimeUtc,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub deleted_at: Option<DateTimeUtc>,
    /// Higher in a newer state of the document, and over all documents of one package: of npm and of crates.io's dump,
    /// when it was made, in milliseconds since 1970; of PyPI, the last serial; null: it does not say.
    pub revision: Option<i64>,
    #[sea_orm(has_many)]
    pub advisories: HasMany<super::advisory::Entity>,
    #[sea_orm(has_many)]
    pub inventories: HasMany<super::inventory::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
