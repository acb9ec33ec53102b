//! The package database: packages, versions, dependencies, advisories, inventories.
//!
//! A module per noun with its reads; [`import`] writes; [`derived`] holds what follows from the rest to it. Each read runs a constant number of statements and leaves
//! deleted rows out.

pub mod advisory;
pub mod changes;
pub mod dependency;
pub mod dependent;
pub mod derived;
pub mod distribution;
pub mod import;
pub mod import_run;
pub mod inventory;
pub mod licence;
pub mod name;
pub mod package;
pub mod repository;
pub mod search;
pub mod version;

use std::collections::BTreeMap;

use sea_orm::{ConnectionTrait, DbBackend, FromQueryResult, Statement};

use crate::Result;

/// How many live rows each table holds, by table; those that follow from others ([`derived`]) are left out.
///
/// Counts every row, so it takes as long as reading the tables does.
///
/// # Errors
///
/// [`Error::Database`](crate::Error::Database) if the query does not run.
pub async fn summary(db: &impl ConnectionTrait) -> Result<BTreeMap<String, u64>> {
    #[derive(FromQueryResult)]
    struct Counted {
        table_name: String,
        live: i64,
    }

    const TABLES: [&str; 28] = [
        "advisories",
        "advisory_aliases",
        "advisory_references",
        "advisory_severities",
        "affected_intervals",
        "affected_packages",
        "affected_ranges",
        "affected_versions",
        "categories",
        "categories_packages",
        "default_versions",
        "dependencies",
        "ecosystems",
        "import_errors",
        "import_runs",
        "inventories",
        "inventory_components",
        "inventory_relations",
        "keywords",
        "keywords_packages",
        "licences",
        "maintainers",
        "maintainers_packages",
        "package_downloads",
        "packages",
        "repositories",
        "source_documents",
        "versions",
    ];
    let count = |table| {
        format!("select '{table}' as table_name, count(*) as live from {table} where deleted_at is null")
    };
    // Facts are not softly deleted: all of them are live.
    let facts = "select 'version_downloads' as table_name, count(*) as live from version_downloads";
    let select = format!("{} union all {facts}", TABLES.map(count).join(" union all "));
    let select = Statement::from_string(DbBackend::Postgres, select);
    let counted = Counted::find_by_statement(select).all(db).await?;
    Ok(counted.into_iter().map(|Counted { table_name, live }| (table_name, live.unsigned_abs())).collect())
}
