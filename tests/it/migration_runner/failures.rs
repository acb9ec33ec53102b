//! Migrations that fail, locks that are in the way.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use migration_runner::{Error, Event, State};
use sea_orm::{ConnectionTrait, TransactionTrait};
use sea_orm_migration::{MigrationTrait, MigratorTrait};

use super::{A, B, BrokenAfterIndex, C, D, Sql, migrators, runner, sql, states, tables, value};
use crate::harness::{Database, TestDb};
use sea_orm::DynIden;
use sea_orm_migration::sea_query::{Alias, IntoIden};

const FIFTH: Sql = sql("m5_e", "create table m5_e (id bigint)", "drop table m5_e");
const HALFWAY: Sql = sql("m3_c", "create table m3_c (id bigint); select 1 / 0", "drop table m3_c");
const ALTER: Sql = sql("m2_b", "alter table m1_a add column note text", "alter table m1_a drop column note");

migrators! {
    FailsHalfway: [A, B, HALFWAY, D, FIFTH];
    Five: [A, B, C, D, FIFTH];
    Alters: [A, ALTER];
    OnlyFirst: [A];
}

#[tokio::test]
async fn a_failure_halfway_through_five_leaves_the_catalog_as_before_and_entries_that_say_why() {
    let db = TestDb::empty(Database::Ardb).await;
    db.execute_unprepared("create table shops (id bigint)").await.unwrap();
    let before = runner::<FailsHalfway>().catalog(db.connection()).await.unwrap();
    let error = runner::<FailsHalfway>().up(&db).await.unwrap_err();
    assert!(matches!(&error, Error::Migration { migration, .. } if migration == "m3_c"), "{error}");
    assert!(error.to_string().starts_with("test: up of m3_c failed: "), "{error}");
    let after = runner::<FailsHalfway>().catalog(db.connection()).await.unwrap();
    assert_eq!(before.difference(&after), [""; 0]);
    assert_eq!(states::<FailsHalfway>(&db).await, [State::Pending; 5]);

    let history = runner::<FailsHalfway>().history(&db, 10).await.unwrap();
    let told: Vec<_> = history.iter().rev().map(|entry| (entry.migration.as_str(), entry.success)).collect();
    assert_eq!(told, [("m1_a", Some(false)), ("m2_b", Some(false)), ("m3_c", Some(false))]);
    let errors: Vec<_> = history.iter().rev().map(|entry| entry.error.clone().unwrap_or_default()).collect();
    assert!(errors[0].starts_with("rolled back: test: up of m3_c failed: "), "{errors:?}");
    assert!(errors[2].contains("division by zero"), "{errors:?}");

    assert_eq!(runner::<Five>().up(&db).await.unwrap().len(), 5, "mended, it goes on by itself");
}

#[tokio::test]
async fn a_failure_after_one_that_stands_alone_keeps_what_was_done_up_to_it_and_nothing_after() {
    let db = TestDb::empty(Database::Ardb).await;
    let error = runner::<BrokenAfterIndex>().up(&db).await.unwrap_err();
    assert!(matches!(&error, Error::Migration { migration, .. } if migration == "m4_d"), "{error}");
    assert_eq!(tables(&db).await, ["m1_a"]);
    assert_eq!(
        states::<BrokenAfterIndex>(&db).await,
        [State::Applied, State::Applied, State::Pending, State::Pending]
    );
}

#[tokio::test]
async fn a_lock_that_is_in_the_way_is_waited_for_in_short_attempts_that_hold_nothing_in_between() {
    let db = TestDb::empty(Database::Ardb).await;
    runner::<OnlyFirst>().up(&db).await.unwrap();
    let reader = db.begin().await.unwrap();
    reader.execute_unprepared("select from m1_a").await.unwrap();

    let retries = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&retries);
    let runner = runner::<Alters>().lock_timeout(Duration::from_millis(50)).observe(move |event| {
        if matches!(event, Event::Retrying { .. }) {
            *counted.lock().unwrap() += 1;
        }
    });
    let url = db.url().to_owned();
    let waiting = tokio::spawn(async move {
        let own = sea_orm::Database::connect(url).await.unwrap();
        runner.up(&own).await
    });
    while *retries.lock().unwrap() < 2 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    reader.commit().await.unwrap();
    assert_eq!(waiting.await.unwrap().unwrap(), ["m2_b"]);
    let failed = "select count(*) from test_migrations_log where not success and error like '%lock timeout%'";
    assert_eq!(value(&db, failed).await, retries.lock().unwrap().to_string());
}

#[tokio::test]
async fn a_lock_that_stays_in_the_way_ends_the_run_when_patience_is_over() {
    let db = TestDb::empty(Database::Ardb).await;
    runner::<OnlyFirst>().up(&db).await.unwrap();
    let reader = db.begin().await.unwrap();
    reader.execute_unprepared("select from m1_a").await.unwrap();
    let hurried =
        runner::<Alters>().lock_timeout(Duration::from_millis(20)).patience(Duration::from_millis(200));
    let error = hurried.up(&db).await.unwrap_err();
    assert!(error.to_string().contains("lock timeout"), "{error}");
    assert_eq!(states::<Alters>(&db).await, [State::Applied, State::Pending]);
    reader.rollback().await.unwrap();
}

#[tokio::test]
async fn a_statement_that_runs_too_long_is_ended() {
    const SLOW: Sql = sql("m1_a", "select pg_sleep(60)", "select");
    migrators! { Slow: [SLOW] }
    let db = TestDb::empty(Database::Ardb).await;
    let error = runner::<Slow>().statement_timeout(Duration::from_millis(100)).up(&db).await.unwrap_err();
    assert!(error.to_string().contains("statement timeout"), "{error}");
}

#[tokio::test]
async fn the_run_ends_with_nothing_done_when_the_connection_that_holds_the_lock_is_lost() {
    const ENDS_IT: Sql = sql(
        "m2_b",
        "create table m2_b (id bigint); \
         select pg_terminate_backend(pid) from pg_stat_activity \
         where datname = current_database() and application_name = 'migration of test'",
        "drop table m2_b",
    );
    migrators! { LosesItsLock: [A, ENDS_IT, C] }
    let db = TestDb::empty(Database::Ardb).await;
    runner::<LosesItsLock>().up(&db).await.unwrap_err();
    assert_eq!(tables(&db).await, [""; 0]);
    assert_eq!(runner::<super::Three>().up(&db).await.unwrap().len(), 3);
}
