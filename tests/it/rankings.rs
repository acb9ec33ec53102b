//! The report of the most depended-on packages, from ardb into analyticsdb.

use entity_analyticsdb::refresh_run;
use sea_orm::{ConnectionTrait, EntityTrait};
use service::analyticsdb::package_ranking::{Refreshed, refresh, top};
use service::ardb::import;

use crate::harness::{Database, TestDb};
use crate::import_support::{fixture, now};

async fn filled() -> (TestDb, TestDb) {
    let (ardb, analyticsdb) =
        (TestDb::migrated(Database::Ardb).await, TestDb::migrated(Database::Analyticsdb).await);
    let report = import::cargo_index(&ardb, &fixture("index"), now(), &()).await.unwrap();
    assert_eq!(report.rejected, []);
    (ardb, analyticsdb)
}

/// `(name, rank, dependents)` of every row, best first.
async fn ranking(analyticsdb: &TestDb) -> Vec<(String, i32, i64)> {
    let rows = top(analyticsdb.connection(), "cargo", 100).await.unwrap();
    rows.into_iter().map(|row| (row.name, row.rank, row.dependents_count)).collect()
}

#[tokio::test]
async fn the_report_counts_each_dependent_package_once_and_leaves_tests_out() {
    let (ardb, analyticsdb) = filled().await;
    assert!(matches!(refresh(&ardb, &analyticsdb, now()).await.unwrap(), Refreshed::Done { .. }));
    let counted = "select coalesce(package.name, dependency.name) as name, count(distinct version.package_id) as dependents \
                   from dependencies dependency join versions version on version.id = dependency.version_id \
                   left join packages package on package.id = dependency.package_id \
                   where dependency.kind <> 'dev' and not version.is_yanked group by 1";
    let rows = ardb
        .query_all_raw(sea_orm::Statement::from_string(sea_orm::DbBackend::Postgres, counted))
        .await
        .unwrap();
    let mut expected: Vec<(String, i64)> = rows
        .iter()
        .map(|row| (row.try_get("", "name").unwrap(), row.try_get("", "dependents").unwrap()))
        .collect();
    expected.sort();
    let mut found: Vec<_> =
        ranking(&analyticsdb).await.into_iter().map(|(name, _, dependents)| (name, dependents)).collect();
    found.sort();
    assert_eq!(found, expected);
}

#[tokio::test]
async fn nothing_is_computed_while_ardb_has_nothing_new() {
    let (ardb, analyticsdb) = filled().await;
    refresh(&ardb, &analyticsdb, now()).await.unwrap();
    assert_eq!(refresh(&ardb, &analyticsdb, now()).await.unwrap(), Refreshed::NothingNew);
    assert_eq!(refresh_run::Entity::find().all(analyticsdb.connection()).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_refresh_after_a_change_touches_only_the_rows_that_differ() {
    let (ardb, analyticsdb) = filled().await;
    refresh(&ardb, &analyticsdb, now()).await.unwrap();
    let before = ranking(&analyticsdb).await;
    let gone = before.last().unwrap().0.clone();
    ardb.execute_unprepared(&format!("update dependencies set deleted_at = now() where name = '{gone}'"))
        .await
        .unwrap();
    ardb.execute_unprepared("update source_documents set imported_at = now()").await.unwrap();
    let Refreshed::Done { ranked, rows_changed } = refresh(&ardb, &analyticsdb, now()).await.unwrap() else {
        panic!("there was something new");
    };
    assert_eq!((ranked, rows_changed), (before.len() as u64 - 1, 1));
    ardb.execute_unprepared("update dependencies set deleted_at = null").await.unwrap();
    ardb.execute_unprepared("update source_documents set imported_at = now()").await.unwrap();
    refresh(&ardb, &analyticsdb, now()).await.unwrap();
    assert_eq!(ranking(&analyticsdb).await, before);
}

#[tokio::test]
async fn a_refresh_that_fails_leaves_its_error_in_the_history() {
    let (ardb, analyticsdb) = filled().await;
    analyticsdb
        .execute_unprepared("alter table package_rankings add constraint closed check (dependents_count < 0)")
        .await
        .unwrap();
    assert!(refresh(&ardb, &analyticsdb, now()).await.is_err());
    let runs = refresh_run::Entity::find().all(analyticsdb.connection()).await.unwrap();
    let [run] = runs.as_slice() else { panic!("{runs:?}") };
    assert!(run.error.as_ref().is_some_and(|error| error.contains("closed")), "{run:?}");
    assert_eq!((run.finished_at.is_some(), run.watermark), (true, None));
}
