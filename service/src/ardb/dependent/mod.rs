//! What depends on a package: directly, and over others.
//!
//! A package depends on another when any of its live versions asks for it, in any version and for any purpose, tests
//! included.

use entity_ardb::PackageId;
use sea_orm::{ConnectionTrait, DbBackend, FromQueryResult, Statement, Value};
use serde::Serialize;

use crate::{Error, Result};

/// The most steps that [`nearest`] takes.
pub const MAX_DEPTH: u32 = 16;

/// The most packages of one page: what is sent and held at once stays bounded where everything depends on a package.
pub const MAX_PAGE: u64 = 10_000;

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

/// A page of the packages that depend on `package` over at most `depth` steps, itself left out: nearest first, then most
/// popular first, at most `limit` and never more than [`MAX_PAGE`]. One statement.
///
/// Continues after `after`, the last of the page before. Empty when there are none, and after the last page. The work
/// grows with the packages and dependencies up to the step at which the page ends, not with the ways to them, also where
/// they depend on each other in a circle.
///
/// # Errors
///
/// [`Error::Invalid`] if `depth` is over [`MAX_DEPTH`]; [`Error::Database`] if the query does not run.
pub async fn nearest(
    db: &impl ConnectionTrait,
    package: PackageId,
    depth: u32,
    after: Option<&Dependent>,
    limit: u64,
) -> Result<Vec<Dependent>> {
    let steps = i32::try_from(depth).ok().filter(|_| depth <= MAX_DEPTH);
    let Some(steps) = steps else {
        let reason = format!("expected at most {MAX_DEPTH} steps, not {depth}");
        return Err(Error::Invalid { field: "depth", reason });
    };
    let values: [Value; 6] = [
        package.0.into(),
        steps.into(),
        after.map(|last| last.depth).into(),
        after.map(|last| last.popularity).into(),
        after.map(|last| last.package_id.0).into(),
        (limit.min(MAX_PAGE) as i64).into(),
    ];
    let select = Statement::from_sql_and_values(DbBackend::Postgres, include_str!("nearest.sql"), values);
    Ok(Dependent::find_by_statement(select).all(db).await?)
}
