//! Packages.

use entity_ardb::{ecosystem, package};
use sea_orm::{ColumnTrait as _, ConnectionTrait, EntityTrait as _, PaginatorTrait as _, QueryFilter as _};

use super::name;
use crate::{Result, scope::Live as _};

/// The live package that `ecosystem` (`ecosystems.name`, such as `cargo`) knows as `published`, namespace included
/// (`@scope/name`), in any spelling that the ecosystem takes for the same.
///
/// `None` when there is none.
///
/// # Errors
///
/// [`Error::Database`](crate::Error::Database) if the query does not run.
pub async fn by_name(
    db: &impl ConnectionTrait,
    ecosystem: &str,
    published: &str,
) -> Result<Option<package::Model>> {
    let name = name::split(ecosystem, published);
    let found = package::Entity::find()
        .inner_join(ecosystem::Entity)
        .filter(ecosystem::Column::Name.eq(ecosystem))
        .filter(package::Column::Namespace.eq(name.namespace))
        .filter(package::Column::NormalizedName.eq(name.normalized));
    Ok(found.live().one(db).await?)
}

/// How many live packages `ecosystem` has here; 0 also where there is no such ecosystem.
///
/// # Errors
///
/// [`Error::Database`](crate::Error::Database) if the query does not run.
pub async fn count(db: &impl ConnectionTrait, ecosystem: &str) -> Result<u64> {
    let found =
        package::Entity::find().inner_join(ecosystem::Entity).filter(ecosystem::Column::Name.eq(ecosystem));
    Ok(found.live().count(db).await?)
}
