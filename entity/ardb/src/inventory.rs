//! `inventories`: what a product is made of, as one document says.

use sea_orm::entity::prelude::*;

use crate::SourceDocumentId;

/// Id of a row in `inventories`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, DeriveValueType)]
pub struct InventoryId(pub i64);

/// The form of the document that an inventory comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "kebab-case")]
pub enum InventoryKind {
    /// A lockfile, such as Cargo.lock.
    Lockfile,
    /// A software bill of materials.
    Sbom,
}

/// A row of `inventories`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "inventories")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: InventoryId,
    #[sea_orm(unique_key = "name")]
    pub kind: InventoryKind,
    /// The product, by a name that stays the same from import to import; each owner has names of its own.
    #[sea_orm(unique_key = "name")]
    pub name: String,
    /// The document it was read from last.
    pub source_document_id: SourceDocumentId,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub deleted_at: Option<DateTimeUtc>,
    /// The user of identitydb whose it is; null: no user's. At most one of the two owners is set.
    #[sea_orm(unique_key = "name")]
    pub identitydb_user_id: Option<i64>,
    /// The organization of identitydb whose it is; null: no organization's.
    #[sea_orm(unique_key = "name")]
    pub identitydb_organization_id: Option<i64>,
    #[sea_orm(belongs_to, from = "source_document_id", to = "id")]
    pub source_document: BelongsTo<super::source_document::Entity>,
    #[sea_orm(has_many)]
    pub components: HasMany<super::inventory_component::Entity>,
    #[sea_orm(has_many)]
    pub relations: HasMany<super::inventory_relation::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
