//! Dependencies.

use entity_ardb::PackageId;
use sea_orm::{ConnectionTrait, DbBackend, FromQueryResult, Statement};
use serde::Serialize;

use crate::Result;

/// A package by how much depends on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DependedOn {
    /// Empty: none.
    pub namespace: String,
    /// As published; as its dependents spell it where the package is not known here.
    pub name: String,
    /// `None`: not known here.
    #[serde(serialize_with = "plain")]
    pub package_id: Option<PackageId>,
    /// Distinct packages, a live version of which depends on it.
    pub dependents: u64,
    /// Live versions that depend on it.
    pub dependent_versions: u64,
}

fn plain<S: serde::Serializer>(id: &Option<PackageId>, serializer: S) -> Result<S::Ok, S::Error> {
    id.map(|id| id.0).serialize(serializer)
}

/// The packages of `ecosystem` that most packages depend on, at most `limit`, most depended on first; equal ones by
/// dependent versions, then by name.
///
/// What is only needed to test (kind `dev`) does not count, nor do yanked versions. Reads every dependency of the
/// ecosystem; for more than a look, read `analyticsdb`'s ranking.
///
/// # Errors
///
/// [`Error::Database`](crate::Error::Database) if the query does not run.
pub async fn most_depended_on(
    db: &impl ConnectionTrait,
    ecosystem: &str,
    limit: u64,
) -> Result<Vec<DependedOn>> {
    #[derive(FromQueryResult)]
    struct Row {
        namespace: String,
        name: String,
        package_id: Option<PackageId>,
        dependents: i64,
        dependent_versions: i64,
    }

    let select = Statement::from_sql_and_values(
        DbBackend::Postgres,
        r#"with counted as (
               select dependency.namespace, dependency.normalized_name, min(dependency.name) as name,
                   max(dependency.package_id) as package_id, count(distinct version.package_id) as dependents,
                   count(distinct version.id) as dependent_versions
               from dependencies dependency
               join versions version on version.id = dependency.version_id
               join packages dependent on dependent.id = version.package_id
               join ecosystems ecosystem on ecosystem.id = dependent.ecosystem_id
               where ecosystem.name = $1 and dependency.kind <> 'dev' and not version.is_yanked
                 and dependency.deleted_at is null and version.deleted_at is null and dependent.deleted_at is null
               group by dependency.namespace, dependency.normalized_name
               order by dependents desc, dependent_versions desc, dependency.normalized_name collate "C"
               limit $2
           )
           select counted.namespace, coalesce(package.name, counted.name) as name, package.id as package_id,
               counted.dependents, counted.dependent_versions
           from counted
           left join packages package on package.id = counted.package_id and package.deleted_at is null
           order by counted.dependents desc, counted.dependent_versions desc, counted.normalized_name collate "C""#,
        [ecosystem.into(), i64::try_from(limit).unwrap_or(i64::MAX).into()],
    );
    let found = Row::find_by_statement(select).all(db).await?;
    let row = |Row { namespace, name, package_id, dependents, dependent_versions }| DependedOn {
        namespace,
        name,
        package_id,
        dependents: dependents.unsigned_abs(),
        dependent_versions: dependent_versions.unsigned_abs(),
    };
    Ok(found.into_iter().map(row).collect())
}
