//! Advisories, and what they are about.
//!
//! A version is affected when its sort key lies in an interval, or when its number is enumerated. Withdrawn advisories
//! affect nothing.

use entity_ardb::{InventoryId, PackageId, VersionId, advisory, ecosystem, package};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, DbBackend, EntityTrait as _, FromQueryResult, PaginatorTrait as _,
    QueryFilter as _, Statement,
};
use serde::Serialize;

use super::version::order;
use crate::{Result, scope::Live as _};

/// A component of an inventory that an advisory affects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Exposure {
    /// The component's; empty: none.
    pub namespace: String,
    /// The component's, as the inventory has it.
    pub name: String,
    /// The component's version.
    pub number: String,
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
    /// Versions that end the affected stretches the component lies in; empty: no fix is known. Where the advisory
    /// enumerates the component's version and no stretch holds it, every fix that the advisory names.
    pub fixed: Vec<String>,
}

#[derive(FromQueryResult)]
struct Row {
    namespace: String,
    name: String,
    number: String,
    advisory: String,
    kind: String,
    summary: String,
    severity: Option<String>,
    aliases: Vec<String>,
    fixed: Vec<String>,
}

/// What is known against the components of `inventory`: by component's name and version, then by advisory. One
/// statement.
///
/// Components that are not from a registry that advisories speak of (local paths, git, another registry) are not held
/// against them. Empty when nothing is known, or the inventory does not exist.
///
/// # Errors
///
/// [`Error::Database`](crate::Error::Database) if the query does not run.
pub async fn exposure(db: &impl ConnectionTrait, inventory: InventoryId) -> Result<Vec<Exposure>> {
    let values = [inventory.0.into(), super::inventory::CRATES_IO.into()];
    let select = Statement::from_sql_and_values(DbBackend::Postgres, include_str!("exposure.sql"), values);
    let found = Row::find_by_statement(select).all(db).await?;
    let exposure = |row: Row| Exposure {
        namespace: row.namespace,
        name: row.name,
        number: row.number,
        advisory: row.advisory,
        kind: row.kind,
        summary: row.summary,
        severity: row.severity,
        aliases: row.aliases,
        fixed: row.fixed,
    };
    Ok(found.into_iter().map(exposure).collect())
}

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
    /// Every version that ends an affected stretch; empty: no fix is known.
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
    let values = [package.0.into()];
    let select = Statement::from_sql_and_values(DbBackend::Postgres, include_str!("about.sql"), values);
    Ok(About::find_by_statement(select).all(db).await?)
}
