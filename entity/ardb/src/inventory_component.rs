//! `inventory_components`: one version of one package in an inventory.

use sea_orm::entity::prelude::*;

use crate::{EcosystemId, InventoryId, PackageId, VersionId};

/// Id of a row in `inventory_components`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, DeriveValueType)]
pub struct InventoryComponentId(pub i64);

/// What a component is needed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "kebab-case")]
pub enum ComponentScope {
    /// To run.
    Required,
    /// For a feature that not everybody uses.
    Optional,
    /// To develop and test.
    Dev,
    /// For nothing that is shipped.
    Excluded,
}

/// A row of `inventory_components`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "inventory_components")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: InventoryComponentId,
    #[sea_orm(unique_key = "component")]
    pub inventory_id: InventoryId,
    #[sea_orm(unique_key = "component")]
    pub ecosystem_id: EcosystemId,
    /// The package meant; null: not known here, until it is imported.
    pub package_id: Option<PackageId>,
    /// The version meant; null: not known here, until it is imported, or it is not from the registry.
    pub version_id: Option<VersionId>,
    /// The purl namespace; empty: none.
    #[sea_orm(unique_key = "component")]
    pub namespace: String,
    /// As the document has it.
    pub name: String,
    #[sea_orm(unique_key = "component")]
    pub normalized_name: String,
    /// As the document has it; empty: it has none.
    #[sea_orm(unique_key = "component")]
    pub number: String,
    /// Sorts bytewise in the ecosystem's own order; null when `number` does not parse or the ecosystem has
    /// no order.
    pub sort_key: Option<Vec<u8>>,
    /// Where the document says it comes from: a registry, a git or a file address. Empty: the ecosystem's own registry;
    /// of cargo, which names that one, too, a local path.
    #[sea_orm(unique_key = "component")]
    pub source: String,
    /// Expected by the document, 32 bytes; null: it has none.
    pub checksum_sha256: Option<Vec<u8>>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub deleted_at: Option<DateTimeUtc>,
    /// The canonical package URL; null: it is not the registry's package, or its ecosystem's rules refuse one.
    pub purl: Option<String>,
    /// Null: the document does not say.
    pub scope: Option<ComponentScope>,
    /// As the document has it, several joined by AND; null: it does not say.
    pub licence: Option<String>,
    /// The release of the distribution that it was built for, such as 12 of Debian; empty: unknown, or no distribution.
    pub release: String,
    /// Normalised name of the source package that it was built from; null: of the same name and version, or unknown.
    pub upstream_name: Option<String>,
    /// Null: as `upstream_name`.
    pub upstream_number: Option<String>,
    /// Null: as `upstream_name`, or `upstream_number` does not parse.
    pub upstream_sort_key: Option<Vec<u8>>,
    #[sea_orm(belongs_to, from = "inventory_id", to = "id")]
    pub inventory: BelongsTo<super::inventory::Entity>,
    #[sea_orm(belongs_to, from = "ecosystem_id", to = "id")]
    pub ecosystem: BelongsTo<super::ecosystem::Entity>,
    #[sea_orm(belongs_to, from = "package_id", to = "id")]
    pub package: BelongsTo<Option<super::package::Entity>>,
    #[sea_orm(belongs_to, from = "version_id", to = "id")]
    pub version: BelongsTo<Option<super::version::Entity>>,
}

impl ActiveModelBehavior for ActiveModel {}
