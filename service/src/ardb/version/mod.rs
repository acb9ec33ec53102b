//! Versions, in their ecosystem's own order.

pub mod ecosystem;
pub mod order;
pub mod range;

use entity_ardb::{PackageId, version};
use sea_orm::{ConnectionTrait, EntityTrait as _, QuerySelect as _};

use crate::{
    Result,
    scope::{Live as _, Versions as _},
};

/// Live versions of `package`, newest first in the ecosystem's order, at most `limit`. Prereleases and yanked versions
/// are among them.
///
/// Empty when the package has none or does not exist.
///
/// # Errors
///
/// [`Error::Database`](crate::Error::Database) if the query does not run.
pub async fn newest(
    db: &impl ConnectionTrait,
    package: PackageId,
    limit: u64,
) -> Result<Vec<version::Model>> {
    let found = version::Entity::find().of_package(package).live().newest_first();
    Ok(found.limit(limit).all(db).await?)
}

/// All live versions of `package`, oldest first in the ecosystem's order; before them those whose number does not
/// parse.
///
/// Empty when the package has none or does not exist.
///
/// # Errors
///
/// [`Error::Database`](crate::Error::Database) if the query does not run.
pub async fn in_order(db: &impl ConnectionTrait, package: PackageId) -> Result<Vec<version::Model>> {
    Ok(version::Entity::find().of_package(package).live().oldest_first().all(db).await?)
}
