//! Advisories, and what they are about.
//!
//! A version is affected when its sort key lies in an interval, or when its number is enumerated. Withdrawn advisories
//! affect nothing.

mod exposure;

use entity_ardb::{PackageId, VersionId, advisory, ecosystem, package};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, DbBackend, EntityTrait as _, FromQueryResult, PaginatorTrait as _,
    QueryFilter as _, Statement, Value,
};
use serde::Serialize;

use super::{name, version::order};
use crate::{Result, purl::Purl, scope::Live as _};

pub use exposure::{Exposure, exposure};

/// How many live advisories there are, withdrawn ones included. With none, an empty [`exposure`] says nothing.
///
/// # Errors
///
/// [`Error::Database`](crate::Error::Database) if the query does not run.
pub async fn count(db: &impl ConnectionTrait) -> Result<u64> {
    Ok(advisory::Entity::find().live().count(db).await?)
}

/// The advisories, not withdrawn, that affect version `number` of `package`, by identifier; the version itself need not
/// be known. Two statements.
///
/// Empty when nothing is known, or the package does not exist.
///
/// # Errors
///
/// [`Error::Database`](crate::Error::Database) if a query does not run.
pub async fn affecting(
    db: &impl ConnectionTrait,
    package: PackageId,
    number: &str,
) -> Result<Vec<advisory::Model>> {
    let found = ecosystem::Entity::find().inner_join(package::Entity).filter(package::Column::Id.eq(package));
    let Some(ecosystem) = found.live().one(db).await? else { return Ok(Vec::new()) };
    let key = order::key(ecosystem.version_scheme, number);
    let select = Statement::from_sql_and_values(
        DbBackend::Postgres,
        include_str!("affecting.sql"),
        [package.0.into(), number.into(), key.into()],
    );
    Ok(advisory::Entity::find().from_raw_sql(select).all(db).await?)
}

/// An advisory that affects a version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, FromQueryResult)]
pub struct Known {
    /// The advisory's own id, such as RUSTSEC-2021-0001.
    pub advisory: String,
    /// `vulnerability`, `unmaintained`, `unsound`, `notice`, …
    pub kind: String,
    /// One line; empty: the advisory has none.
    pub summary: String,
    /// The CVSS vector as published; `None`: not given.
    pub severity: Option<String>,
    /// Other ids of the advisory, sorted.
    pub aliases: Vec<String>,
    /// The lowest version that ends a stretch which the version lies in; `None`: no fix is known.
    pub fixed: Option<String>,
}

/// The advisories, not withdrawn, that affect `version`, by identifier, as of the last import. One statement.
///
/// Empty when nothing is known, or the version does not exist.
///
/// # Errors
///
/// [`Error::Database`](crate::Error::Database) if the query does not run.
pub async fn of_version(db: &impl ConnectionTrait, version: VersionId) -> Result<Vec<Known>> {
    let values = [version.0.into()];
    let select = Statement::from_sql_and_values(DbBackend::Postgres, include_str!("known.sql"), values);
    Ok(Known::find_by_statement(select).all(db).await?)
}

/// An advisory about a package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, FromQueryResult)]
pub struct About {
    /// The advisory's own id, such as RUSTSEC-2021-0001.
    pub advisory: String,
    /// `vulnerability`, `unmaintained`, `unsound`, `notice`, …
    pub kind: String,
    /// One line; empty: the advisory has none.
    pub summary: String,
    /// The CVSS vector as published; `None`: not given.
    pub severity: Option<String>,
    /// Other ids of the advisory, sorted.
    pub aliases: Vec<String>,
    /// Every version that ends an affected stretch, lowest first; empty: no fix is known.
    pub fixed: Vec<String>,
    /// How many live versions of the package it affects, as of the last import.
    pub affected_versions: i64,
    /// Whether the newest version is among them.
    pub is_newest_affected: bool,
}

/// The advisories, not withdrawn, about `package`, whichever versions they affect, by identifier. One statement.
///
/// Empty when nothing is known, or the package does not exist.
///
/// # Errors
///
/// [`Error::Database`](crate::Error::Database) if the query does not run.
pub async fn of_package(db: &impl ConnectionTrait, package: PackageId) -> Result<Vec<About>> {
    about(db, [package.0.into(), none(), none(), none()]).await
}

/// As [`of_package`], about what `purl` names, its version and qualifiers left aside, whether or not the package itself is
/// known. One statement.
///
/// # Errors
///
/// [`Error::Database`](crate::Error::Database) if the query does not run.
pub async fn of_purl(db: &impl ConnectionTrait, purl: &Purl) -> Result<Vec<About>> {
    let namespace = purl.namespace().unwrap_or_default();
    let normalized = name::normalize(purl.kind(), purl.name());
    about(db, [None::<i64>.into(), purl.kind().into(), namespace.into(), normalized.into()]).await
}

fn none() -> Value {
    None::<String>.into()
}

async fn about(db: &impl ConnectionTrait, values: [Value; 4]) -> Result<Vec<About>> {
    let select = Statement::from_sql_and_values(DbBackend::Postgres, include_str!("about.sql"), values);
    Ok(About::find_by_statement(select).all(db).await?)
}
