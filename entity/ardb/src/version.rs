//! `versions`: one row per published version of a package.

use sea_orm::entity::prelude::*;

use crate::{LicenceId, PackageId};

/// Id of a row in `versions`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, DeriveValueType)]
pub struct VersionId(pub i64);

/// A row of `versions`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "versions")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: VersionId,
    #[sea_orm(unique_key = "number")]
    pub package_id: PackageId,
    /// As published, never normalised.
    #[sea_orm(unique_key = "number")]
    pub number: String,
    /// Sorts bytewise in the ecosystem's own order; null when `number` does not parse or the ecosystem has
    /// no order.
    pub sort_key: Option<Vec<u8>>,
    pub is_prerelease: bool,
    /// Withdrawn by its publisher, still there for who depends on it already; of npm: deprecated.
    pub is_yanked: bool,
    /// Of the published archive, 32 bytes; null: the registry gives none.
    pub checksum_sha256: Option<Vec<u8>>,
    /// When the registry accepted it (UTC); null: the registry does not say.
    pub published_at: Option<DateTimeUtc>,
    /// What the ecosystem publishes beyond the columns, an object. Of cargo: `rust_version`, `links`, `features`. Of npm:
    /// `dist_tags`, `engines`, `os`, `cpu`, `libc`, `bundled_dependencies`, `has_install_script`, `unpacked_size_bytes`,
    /// `file_count`. Of PyPI: `requires_python`, `provides_extra`, and `files`, from each name to its SHA-256.
    #[sea_orm(column_type = "JsonBinary")]
    pub attributes: Json,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub deleted_at: Option<DateTimeUtc>,
    /// As published; empty: none given.
    pub licence: String,
    /// The licence that `licence` names; null: none given, too long to be one, or not imported since the column came.
    pub licence_id: Option<LicenceId>,
    /// Of the published archive; null: the registry does not say.
    pub size_bytes: Option<i64>,
    /// Further checksums of the published archive, an object: from the algorithm in lower case to hexadecimal digits.
    #[sea_orm(column_type = "JsonBinary")]
    pub checksums: Json,
    /// In the publisher's words; null: not yanked, or no reason given.
    pub yanked_reason: Option<String>,
    #[sea_orm(belongs_to, from = "package_id", to = "id")]
    pub package: BelongsTo<super::package::Entity>,
    #[sea_orm(belongs_to, from = "licence_id", to = "id")]
    pub published_under: BelongsTo<Option<super::licence::Entity>>,
    #[sea_orm(has_many)]
    pub dependencies: HasMany<super::dependency::Entity>,
    #[sea_orm(has_many)]
    pub inventory_components: HasMany<super::inventory_component::Entity>,
    #[sea_orm(has_many)]
    pub downloads: HasMany<super::version_download::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
