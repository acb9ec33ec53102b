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
async fn packages_are_ranked_by_dependents_without_tests_yanked_versions_and_other_registries() {
    let (ardb, analyticsdb) = filled().await;
    let refreshed = refresh(&ardb, &analyticsdb, now()).await.unwrap();
    assert_eq!(refreshed, Refreshed::Done { ranked: 3, rows_changed: 3 });
    let rows = top(analyticsdb.connection(), "cargo", 100).await.unwrap();
    let found: Vec<_> = rows
        .iter()
        .map(|row| {
            let is_known = row.ardb_package_id.is_some();
            (row.name.as_str(), is_known, row.rank, row.dependents_count, row.dependent_versions_count)
        })
        .collect();
    assert_eq!(found, [("gam", true, 1, 2, 3), ("beta-two", true, 2, 1, 1), ("unknown", false, 2, 1, 1)]);
}

#[tokio::test]
async fn another_spelling_of_a_package_changes_no_row_of_the_report() {
    let (ardb, analyticsdb) = filled().await;
    refresh(&ardb, &analyticsdb, now()).await.unwrap();
    let before = top(analyticsdb.connection(), "cargo", 100).await.unwrap();
    ardb.execute_unprepared("update packages set name = 'Beta_Two' where name = 'beta_two'").await.unwrap();
    ardb.execute_unprepared("update dependencies set name = 'UNKNOWN' where name = 'unknown'").await.unwrap();
    ardb.execute_unprepared("update source_documents set imported_at = now()").await.unwrap();
    let refreshed = refresh(&ardb, &analyticsdb, now()).await.unwrap();
    assert_eq!(refreshed, Refreshed::Done { ranked: 3, rows_changed: 0 });
    assert_eq!(top(analyticsdb.connection(), "cargo", 100).await.unwrap(), before);
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
    ardb.execute_unprepared(&format!(
        "update dependencies set deleted_at = now() where normalized_name = '{gone}'"
    ))
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
