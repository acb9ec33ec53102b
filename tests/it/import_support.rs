//! What the tests of the importers share: fixtures, a fixed time, and the whole content of a database as a value.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, FromQueryResult, Statement};
use service::ardb::import::Report;

/// A file or folder of the project's own.
pub fn fixture(relative: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../service/fixtures").join(relative)
}

/// The time that tests give as now.
pub fn now() -> DateTime<Utc> {
    "2026-01-02T03:04:05Z".parse().unwrap()
}

/// A copy of a fixture folder that a test can change.
pub fn changeable(relative: &str) -> tempfile::TempDir {
    fn copy(from: &Path, to: &Path) {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
            let target = to.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                copy(&entry.path(), &target);
            } else {
                fs::copy(entry.path(), target).unwrap();
            }
        }
    }
    let folder = tempfile::tempdir().unwrap();
    copy(&fixture(relative), folder.path());
    folder
}

/// `(inserted, updated, deleted)` of a table in a report.
pub fn rows(report: &Report, table: &str) -> (u64, u64, u64) {
    let rows = report.rows.get(table).copied().unwrap_or_default();
    (rows.inserted, rows.updated, rows.deleted)
}

const TABLES: [&str; 26] = [
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

/// Every row of every table with ids and times, as JSON.
pub async fn snapshot(db: &DatabaseConnection) -> BTreeMap<&'static str, Vec<String>> {
    let mut snapshot = BTreeMap::new();
    for table in TABLES {
        let select = format!("select to_jsonb(t)::text as line from {table} t order by id");
        snapshot.insert(table, lines(db, &select).await);
    }
    snapshot
}

/// Every row of every table without what depends on when and in which order it was written: ids become the names of
/// what they refer to, times of writing are left out.
pub async fn content(db: &DatabaseConnection) -> BTreeMap<&'static str, Vec<String>> {
    let mut content = BTreeMap::new();
    for table in TABLES {
        let select = format!(
            "select (row - '{{id,created_at,updated_at,imported_at,version_id,package_id,advisory_id,inventory_id,\
                 affected_package_id,affected_range_id,source_document_id,ecosystem_id,licence_id,repository_id,\
                 maintainer_id,keyword_id,category_id,from_component_id,to_component_id}}'::text[]
                 || jsonb_build_object(
                     'package', (select normalized_name from packages where id = (row ->> 'package_id')::bigint),
                     'version', (select number from versions where id = (row ->> 'version_id')::bigint),
                     'advisory', (select identifier from advisories where id = (row ->> 'advisory_id')::bigint),
                     'licensed', (select expression from licences where id = (row ->> 'licence_id')::bigint),
                     'repository', (select url from repositories where id = (row ->> 'repository_id')::bigint),
                     'maintainer', (select login from maintainers where id = (row ->> 'maintainer_id')::bigint),
                     'keyword', (select name from keywords where id = (row ->> 'keyword_id')::bigint),
                     'category', (select slug from categories where id = (row ->> 'category_id')::bigint),
                     'from', (select concat_ws(' ', normalized_name, number, source) from inventory_components
                         where id = (row ->> 'from_component_id')::bigint),
                     'to', (select concat_ws(' ', normalized_name, number, source) from inventory_components
                         where id = (row ->> 'to_component_id')::bigint)
                 ))::text as line
             from (select to_jsonb(t) as row from {table} t) rows
             order by 1"
        );
        content.insert(table, lines(db, &select).await);
    }
    content
}

/// The only column, called `line`, of a query.
pub async fn lines(db: &DatabaseConnection, select: &str) -> Vec<String> {
    #[derive(FromQueryResult)]
    struct Line {
        line: String,
    }
    let select = Statement::from_string(DbBackend::Postgres, select);
    let lines = Line::find_by_statement(select).all(db).await.unwrap();
    lines.into_iter().map(|Line { line }| line).collect()
}

/// Runs a statement of the test's own.
pub async fn execute(db: &DatabaseConnection, sql: &str) {
    db.execute_unprepared(sql).await.unwrap();
}
