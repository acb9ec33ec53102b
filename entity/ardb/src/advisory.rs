//! `advisories`: what is known to be wrong with packages.

use sea_orm::entity::prelude::*;

use crate::SourceDocumentId;

/// Id of a row in `advisories`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, DeriveValueType)]
pub struct AdvisoryId(pub i64);

/// A row of `advisories`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "advisories")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: AdvisoryId,
    /// Its own id in the database that publishes it, such as `RUSTSEC-2021-0001`.
    #[sea_orm(unique)]
    pub identifier: String,
    /// `vulnerability`, or what its source calls it otherwise: `unmaintained`, `unsound`, `notice`, …
    pub kind: String,
    pub summary: String,
    /// Markdown, as published.
    pub details: String,
    /// CVSS vector as published, of the highest CVSS version given; null: none given.
    pub severity: Option<String>,
    /// When its source published it (UTC); null: the source does not say.
    pub published_at: Option<DateTimeUtc>,
    /// When its source changed it last (UTC).
    pub modified_at: DateTimeUtc,
    /// When its source took it back (UTC); null: it stands.
    pub withdrawn_at: Option<DateTimeUtc>,
    /// The document it was read from last.
    pub source_document_id: SourceDocumentId,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub deleted_at: Option<DateTimeUtc>,
    #[sea_orm(belongs_to, from = "source_document_id", to = "id")]
    pub source_document: BelongsTo<super::source_document::Entity>,
    #[sea_orm(has_many)]
    pub severities: HasMany<super::advisory_severity::Entity>,
    #[sea_orm(has_many)]
    pub references: HasMany<super::advisory_reference::Entity>,
    #[sea_orm(has_many)]
    pub aliases: HasMany<super::advisory_alias::Entity>,
    #[sea_orm(has_many)]
    pub affected_packages: HasMany<super::affected_package::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
