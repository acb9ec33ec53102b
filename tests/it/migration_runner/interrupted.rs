//! A program that is killed in the middle, and the next one.

#[path = "../../interrupted.rs"]
mod migrations;

use std::process::Stdio;
use std::time::Duration;

use migration_runner::{Error, Runner, Settled, State};
use sea_orm::ConnectionTrait;
use tokio::process::{Child, Command};

use super::{runner, states, tables, value};
use crate::harness::{Database, TestDb};
use migrations::{Alone, SLEEP, Together};

/// Starts the program and comes back when its second migration sleeps.
async fn asleep(db: &TestDb, kind: &str) -> Child {
    let child = Command::new(env!("CARGO_BIN_EXE_runner-under-test"))
        .args([db.url(), kind])
        .env(SLEEP, "600")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let sleeps = "select count(*) from pg_stat_activity \
                  where datname = current_database() and query like 'select pg_sleep(600)%'";
    while value(db, sleeps).await == "0" {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    child
}

/// SIGKILL: the program has no chance to say anything to the server.
async fn kill(mut child: Child) {
    child.kill().await.unwrap();
}

#[tokio::test]
async fn a_killed_run_is_visible_and_the_next_start_goes_on_by_itself() {
    let db = TestDb::empty(Database::Ardb).await;
    let child = asleep(&db, "together").await;
    assert_eq!(states::<Together>(&db).await, [State::Running, State::Running, State::Pending]);
    kill(child).await;
    let open = "select string_agg(migration, ',' order by id) from test_migrations_log where success is null";
    assert_eq!(value(&db, open).await, "m1_first,m2_slow", "half done, and no end");
    // The server still sleeps for the program that is dead.
    assert_eq!(states::<Together>(&db).await, [State::Running, State::Running, State::Pending]);
    end_sleep(&db).await;
    assert_eq!(states::<Together>(&db).await, [State::Pending; 3]);
    assert_eq!(runner::<Together>().up(&db).await.unwrap(), ["m1_first", "m2_slow", "m3_last"]);
    assert_eq!(value(&db, "select count(*) from m2_slow").await, "1");
    let closed = "select string_agg(migration || ': ' || error, '; ' order by id) from test_migrations_log where not success";
    assert_eq!(
        value(&db, closed).await,
        "m1_first: the program ended before the transaction was committed; nothing of it remains; \
         m2_slow: the program ended before the transaction was committed; nothing of it remains"
    );
}

#[tokio::test]
async fn a_start_while_the_server_still_works_for_a_killed_one_waits_for_the_server() {
    let db = TestDb::empty(Database::Ardb).await;
    kill(asleep(&db, "together").await).await;
    let error = runner::<Together>().patience(Duration::from_millis(100)).up(&db).await.unwrap_err();
    let Error::Locked { pids, holder, .. } = &error else { panic!("{error}") };
    assert!(!pids.is_empty() && holder.contains("migrations of test (process "), "{error}");
    let (url, patient) = (db.url().to_owned(), runner::<Together>());
    let waiting = tokio::spawn(async move {
        let own = sea_orm::Database::connect(url).await.unwrap();
        patient.up(&own).await
    });
    tokio::time::sleep(Duration::from_millis(200)).await;
    end_sleep(&db).await;
    assert_eq!(waiting.await.unwrap().unwrap(), ["m1_first", "m2_slow", "m3_last"]);
}

#[tokio::test]
async fn one_killed_outside_a_transaction_says_what_to_do_and_goes_on_once_that_is_done() {
    let db = TestDb::empty(Database::Ardb).await;
    kill(asleep(&db, "alone").await).await;
    let early = runner::<Alone>().patience(Duration::ZERO).settle(&db, "m2_slow", Settled::Pending).await;
    assert!(matches!(early, Err(Error::Locked { .. })), "{early:?}");
    end_sleep(&db).await;
    assert_eq!(
        states::<Alone>(&db).await,
        [State::Applied, State::Interrupted, State::Pending],
        "visible before anybody tries again"
    );
    for _ in 0..2 {
        let error = runner::<Alone>().up(&db).await.unwrap_err();
        assert!(matches!(&error, Error::Interrupted { migration, .. } if migration == "m2_slow"), "{error}");
        assert!(error.to_string().contains("`migrate repair --pending m2_slow`"), "{error}");
    }
    assert_eq!(tables(&db).await, ["m1_first", "m2_slow"]);

    db.execute_unprepared("drop table m2_slow").await.unwrap();
    runner::<Alone>().settle(&db, "m2_slow", Settled::Pending).await.unwrap();
    assert_eq!(runner::<Alone>().up(&db).await.unwrap(), ["m2_slow", "m3_last"]);
}

#[tokio::test]
async fn what_was_completed_by_hand_is_not_run_again() {
    let db = TestDb::empty(Database::Ardb).await;
    kill(asleep(&db, "alone").await).await;
    end_sleep(&db).await;
    runner::<Alone>().settle(&db, "m2_slow", Settled::Applied).await.unwrap();
    assert_eq!(runner::<Alone>().up(&db).await.unwrap(), ["m3_last"]);
    let error = runner::<Alone>().settle(&db, "m2_slow", Settled::Applied).await.unwrap_err();
    assert!(matches!(error, Error::AlreadyApplied { .. }), "{error}");
}

#[tokio::test]
async fn one_that_can_be_run_again_is_run_again_without_a_question() {
    let db = TestDb::empty(Database::Ardb).await;
    kill(asleep(&db, "alone").await).await;
    end_sleep(&db).await;
    db.execute_unprepared("drop table m2_slow").await.unwrap();
    let rerunnable =
        Runner::new::<Alone>("test").claim("m2_slow", migration_runner::Claims::new().rerunnable());
    assert_eq!(rerunnable.up(&db).await.unwrap(), ["m2_slow", "m3_last"]);
}

async fn end_sleep(db: &TestDb) {
    let end = "select pg_cancel_backend(pid) from pg_stat_activity \
               where datname = current_database() and query like 'select pg_sleep(600)%'";
    db.execute_unprepared(end).await.unwrap();
    let left = "select count(*) from pg_stat_activity \
                where datname = current_database() and application_name = 'migrations of test'";
    while value(db, left).await != "0" {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
