//! Packages.

use std::collections::HashMap;

use entity_ardb::{PackageId, ecosystem, package, package_download};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, PaginatorTrait as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _, QueryTrait as _,
};

use super::name;
use crate::{Result, purl::Purl, scope::Live as _};

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

/// The live package that `purl` names, its version and qualifiers left aside; `None` when there is none. One statement.
///
/// # Errors
///
/// [`Error::Database`](crate::Error::Database) if the query does not run.
pub async fn by_purl(db: &impl ConnectionTrait, purl: &Purl) -> Result<Option<package::Model>> {
    let found = package::Entity::find()
        .inner_join(ecosystem::Entity)
        .filter(ecosystem::Column::PurlType.eq(purl.kind()))
        .filter(package::Column::Namespace.eq(purl.namespace().unwrap_or_default()))
        .filter(package::Column::NormalizedName.eq(name::normalize(purl.kind(), purl.name())));
    Ok(found.live().one(db).await?)
}

/// The names, as published, of those of `packages` that are live; a package that is not has no entry.
///
/// # Errors
///
/// [`Error::Database`](crate::Error::Database) if the query does not run.
pub async fn published_names(
    db: &impl ConnectionTrait,
    packages: &[PackageId],
) -> Result<HashMap<PackageId, String>> {
    // As one array parameter, because a list of parameters ends at 65,535.
    let ids = packages.iter().map(|id| id.0).collect::<Vec<_>>();
    let found = package::Entity::find().filter(package::Column::Id.eq_any(ids)).live().all(db).await?;
    Ok(found.into_iter().map(|package| (package.id, package.name)).collect())
}

/// How often all versions of `package` together were downloaded since its registry counts; `None` where that does not
/// say, or there is no such package.
///
/// # Errors
///
/// [`Error::Database`](crate::Error::Database) if the query does not run.
pub async fn downloads(db: &impl ConnectionTrait, package: PackageId) -> Result<Option<u64>> {
    let found =
        package_download::Entity::find().filter(package_download::Column::PackageId.eq(package)).live();
    Ok(found.one(db).await?.map(|found| found.downloads.unsigned_abs()))
}

/// The names of the ecosystems that have live packages here, sorted.
///
/// # Errors
///
/// [`Error::Database`](crate::Error::Database) if the query does not run.
pub async fn ecosystems(db: &impl ConnectionTrait) -> Result<Vec<String>> {
    let named = package::Entity::find().live().select_only().column(package::Column::EcosystemId).distinct();
    let found = ecosystem::Entity::find().filter(ecosystem::Column::Id.in_subquery(named.into_query()));
    let found = found.live().order_by_asc(ecosystem::Column::Name).all(db).await?;
    Ok(found.into_iter().map(|ecosystem| ecosystem.name).collect())
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
