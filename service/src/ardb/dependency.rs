//! Dependencies: what a version asks for.

use entity_ardb::{VersionId, dependency};
use sea_orm::{ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _};

use crate::{Result, scope::Live as _};

/// Live dependencies of `version`, by kind and then by name. One statement.
///
/// Empty when it has none or does not exist.
///
/// # Errors
///
/// [`Error::Database`](crate::Error::Database) if the query does not run.
pub async fn of_version(db: &impl ConnectionTrait, version: VersionId) -> Result<Vec<dependency::Model>> {
    use dependency::Column;
    let found = dependency::Entity::find().filter(Column::VersionId.eq(version)).live();
    let ordered = found
        .order_by_asc(Column::Kind)
        .order_by_asc(Column::Namespace)
        .order_by_asc(Column::NormalizedName)
        .order_by_asc(Column::Target)
        .order_by_asc(Column::Id);
    Ok(ordered.all(db).await?)
}
