//! What depends on a package: directly, and over others.
//!
//! A package depends on another when any of its live versions asks for it, in any version and for any purpose, tests
//! included.

use entity_ardb::PackageId;
use sea_orm::{ConnectionTrait, DbBackend, FromQueryResult, Statement, Value};
use serde::Serialize;

use crate::{Error, Result};

/// The most steps that [`transitive`] takes.
pub const MAX_DEPTH: u32 = 16;

/// A package that depends on another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, FromQueryResult)]
pub struct Dependent {
    /// Of the package that depends.
    #[serde(skip)]
    pub package_id: PackageId,
    /// Empty: none.
    pub namespace: String,
    /// As published.
    pub name: String,
    /// Steps between the two; 1: it asks for it itself.
    pub depth: i32,
    /// How many other packages depend on this one, as of the last import.
    pub popularity: i64,
}

/// The packages that depend on `package` directly, itself left out, most popular first, at most `limit`. One
/// statement.
///
/// Continues after `after`, the last of the page before. Empty when there are none.
///
/// # Errors
///
/// [`Error::Database`] if the query does not run.
pub async fn direct(
    db: &impl ConnectionTrait,
    package: PackageId,
    after: Option<&Dependent>,
    limit: u64,
) -> Result<Vec<Dependent>> {
    let values: [Value; 4] = [
        package.0.into(),
        after.map(|last| last.popularity).into(),
        after.map(|last| last.package_id.0).into(),
        i64::try_from(limit).unwrap_or(i64::MAX).into(),
    ];
    let select = Statement::from_sql_and_values(DbBackend::Postgres, include_str!("direct.sql"), values);
    Ok(Dependent::find_by_statement(select).all(db).await?)
}

/// The packages that depend on `package` over at most `depth` steps, itself left out, nearest first and then most
/// popular first, at most `limit`. One statement.
///
/// The work grows with the packages reached at each step, not with the ways to them, also where they depend on each
/// other in a circle.
///
/// # Errors
///
/// [`Error::Invalid`] if `depth` is over [`MAX_DEPTH`]; [`Error::Database`] if the query does not run.
pub async fn transitive(
    db: &impl ConnectionTrait,
    package: PackageId,
    depth: u32,
    limit: u64,
) -> Result<Vec<Dependent>> {
    if depth > MAX_DEPTH {
        let reason = format!("expected at most {MAX_DEPTH} steps, not {depth}");
        return Err(Error::Invalid { field: "depth", reason });
    }
    let values: [Value; 3] =
        [package.0.into(), i64::from(depth).into(), i64::try_from(limit).unwrap_or(i64::MAX).into()];
    let select = Statement::from_sql_and_values(DbBackend::Postgres, include_str!("transitive.sql"), values);
    Ok(Dependent::find_by_statement(select).all(db).await?)
}
