//! `package_search_entries`: what live packages are found by.

use sea_orm::entity::prelude::*;

use crate::PackageId;

/// A row of `package_search_entries`. Triggers on `packages` derive it, and imports its popularity and downloads; it is
/// not to be written.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "package_search_entries")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub package_id: PackageId,
    /// Namespace and name in lower case, a slash between them where there is a namespace.
    pub name: String,
    /// Weighted words, as PostgreSQL prints a `tsvector`.
    #[sea_orm(column_type = "custom(\"tsvector\")", select_as = "text", save_as = "tsvector")]
    pub document: String,
    /// How many other packages depend on it, as of the last import.
    pub popularity: i64,
    /// How often it was downloaded in all, as of the last import; 0 also where its registry does not say.
    pub downloads: i64,
    #[sea_orm(belongs_to, from = "package_id", to = "id")]
    pub package: BelongsTo<super::package::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
