//! What is applied and reverted, in which order, and what is refused.

use migration_runner::{Direction, Error, Event, Extent, Runner, State};
use sea_orm::ConnectionTrait;
use std::sync::{Arc, Mutex};

use super::{FirstTwo, OnlySecond, Three, WithFourth, WithIndex, runner, states, tables};
use crate::harness::{Database, TestDb};

#[tokio::test]
async fn up_applies_everything_in_order_and_then_has_nothing_to_do() {
    let db = TestDb::empty(Database::Ardb).await;
    assert_eq!(runner::<Three>().up(&db).await.unwrap(), ["m1_a", "m2_b", "m3_c"]);
    assert_eq!(runner::<Three>().up(&db).await.unwrap(), [""; 0]);
    assert_eq!(tables(&db).await, ["m1_a", "m2_b", "m3_c"]);
}

#[tokio::test]
async fn up_with_a_number_or_a_target_stops_there() {
    let db = TestDb::empty(Database::Ardb).await;
    assert_eq!(runner::<Three>().up_by(&db, &Extent::Count(1)).await.unwrap(), ["m1_a"]);
    assert_eq!(runner::<Three>().up_by(&db, &Extent::To("m2_b".into())).await.unwrap(), ["m2_b"]);
    assert_eq!(runner::<Three>().up_by(&db, &Extent::To("m1_a".into())).await.unwrap(), [""; 0]);
    assert_eq!(states::<Three>(&db).await, [State::Applied, State::Applied, State::Pending]);
}

#[tokio::test]
async fn down_with_a_target_reverts_what_was_applied_after_it() {
    let db = TestDb::empty(Database::Ardb).await;
    runner::<Three>().up(&db).await.unwrap();
    assert_eq!(runner::<Three>().down(&db, &Extent::To("m1_a".into())).await.unwrap(), ["m3_c", "m2_b"]);
    let error = runner::<Three>().down(&db, &Extent::To("m2_b".into())).await.unwrap_err();
    assert_eq!(error.to_string(), "test: m2_b is not applied; `migrate status` shows what is");
}

#[tokio::test]
async fn a_target_that_does_not_exist_is_answered_with_the_nearest() {
    let db = TestDb::empty(Database::Ardb).await;
    let error = runner::<Three>().up_by(&db, &Extent::To("m2_a_b".into())).await.unwrap_err();
    assert_eq!(error.to_string(), "test: there is no migration m2_a_b; did you mean m2_b?");
    assert_eq!(tables(&db).await, [""; 0]);
}

#[tokio::test]
async fn a_dry_run_tells_the_sql_and_sends_none_of_it() {
    let db = TestDb::empty(Database::Ardb).await;
    let runs = runner::<WithIndex>().dry_run(&db, Direction::Up, &Extent::All).await.unwrap();
    let told: Vec<_> = runs.iter().map(|run| (run.statements.join("; "), run.transactional)).collect();
    assert_eq!(
        told,
        [
            ("create table m1_a (id bigint)".to_owned(), true),
            ("create index concurrently m1_a_id_idx on m1_a (id)".to_owned(), false),
            ("create table m3_c (id bigint)".to_owned(), true),
        ]
    );
    assert_eq!(tables(&db).await, [""; 0]);
}

#[tokio::test]
async fn a_migration_without_a_transaction_stands_alone_between_the_others() {
    let db = TestDb::empty(Database::Ardb).await;
    assert_eq!(runner::<WithIndex>().up(&db).await.unwrap(), ["m1_a", "m2_index", "m3_c"]);
    assert_eq!(runner::<WithIndex>().down(&db, &Extent::All).await.unwrap(), ["m3_c", "m2_index", "m1_a"]);
    assert_eq!(tables(&db).await, [""; 0]);
}

#[tokio::test]
async fn down_reverts_in_the_order_of_application() {
    let db = TestDb::empty(Database::Ardb).await;
    runner::<OnlySecond>().up(&db).await.unwrap();
    runner::<FirstTwo>().allow_late(true).up(&db).await.unwrap();
    assert_eq!(runner::<FirstTwo>().down(&db, &Extent::Count(1)).await.unwrap(), ["m1_a"]);
    assert_eq!(runner::<FirstTwo>().down(&db, &Extent::Count(9)).await.unwrap(), ["m2_b"]);
    assert_eq!(tables(&db).await, [""; 0]);
}

#[tokio::test]
async fn a_late_migration_with_an_older_place_is_refused_until_it_is_allowed() {
    let db = TestDb::empty(Database::Ardb).await;
    runner::<OnlySecond>().up(&db).await.unwrap();
    let error = runner::<FirstTwo>().up(&db).await.unwrap_err();
    assert!(
        matches!(&error, Error::OutOfOrder { late, applied, .. } if late == "m1_a" && applied == "m2_b"),
        "{error}"
    );
    assert_eq!(runner::<FirstTwo>().allow_late(true).up(&db).await.unwrap(), ["m1_a"]);
}

#[tokio::test]
async fn a_database_ahead_of_the_program_is_accepted_and_not_reverted() {
    let db = TestDb::empty(Database::Ardb).await;
    runner::<Three>().up(&db).await.unwrap();
    assert_eq!(runner::<FirstTwo>().up(&db).await.unwrap(), [""; 0]);
    let error = runner::<FirstTwo>().down(&db, &Extent::Count(1)).await.unwrap_err();
    assert!(matches!(&error, Error::Unknown { migration, .. } if migration == "m3_c"), "{error}");
    assert_eq!(tables(&db).await, ["m1_a", "m2_b", "m3_c"]);
}

#[tokio::test]
async fn two_histories_that_parted_are_refused_until_that_is_allowed() {
    let db = TestDb::empty(Database::Ardb).await;
    runner::<Three>().up(&db).await.unwrap();
    let error = runner::<WithFourth>().up(&db).await.unwrap_err();
    assert!(
        matches!(&error, Error::Diverged { unknown, pending, .. } if unknown == "m3_c" && pending == "m4_d"),
        "{error}"
    );
    assert_eq!(runner::<WithFourth>().allow_late(true).up(&db).await.unwrap(), ["m4_d"]);
}

#[tokio::test]
async fn a_run_tells_what_it_does_while_it_does_it() {
    let db = TestDb::empty(Database::Ardb).await;
    let told = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&told);
    let runner = runner::<FirstTwo>().observe(move |event| {
        sink.lock().unwrap().push(match event {
            Event::Started { migration, position, of } => format!("{migration} {position}/{of}"),
            Event::Finished { migration, .. } => format!("{migration} done"),
            other => format!("{other:?}"),
        });
    });
    runner.up(&db).await.unwrap();
    assert_eq!(*told.lock().unwrap(), ["m1_a 1/2", "m1_a done", "m2_b 2/2", "m2_b done"]);
}

#[tokio::test]
async fn a_search_path_and_a_role_that_were_set_hold_for_the_runner_s_own_connections() {
    let db = TestDb::empty(Database::Ardb).await;
    let role = format!("owner_of_{}", super::value(&db, "select current_database()").await);
    db.execute_unprepared(&format!(
        "create role {role}; create schema \"the Shop\" authorization {role}; grant {role} to current_user"
    ))
    .await
    .unwrap();
    let mut options = sea_orm::ConnectOptions::new(db.url());
    let set = format!("set role {role}; set search_path = \"the Shop\", public");
    options.max_connections(1).sqlx_logging(false);
    let own = sea_orm::Database::connect(options).await.unwrap();
    own.execute_unprepared(&set).await.unwrap();
    Runner::new::<Three>("test").up(&own).await.unwrap();
    let found = "select string_agg(distinct schemaname || ' ' || tableowner, ',') from pg_tables \
                 where schemaname not in ('pg_catalog', 'information_schema')";
    assert_eq!(super::value(&db, found).await, format!("the Shop {role}"));
    own.close().await.unwrap();
    db.execute_unprepared(&format!("drop owned by {role} cascade; drop role {role}")).await.unwrap();
}

#[tokio::test]
async fn a_database_marked_as_production_refuses_to_lose_more_than_one_migration() {
    let db = TestDb::empty(Database::Ardb).await;
    runner::<Three>().up(&db).await.unwrap();
    let name = super::value(&db, "select current_database()").await;
    db.execute_unprepared(&format!("alter database {name} set migration_runner.production = 'on'"))
        .await
        .unwrap();
    db.execute_unprepared("set migration_runner.production = 'off'").await.unwrap();
    let refusals = [
        runner::<Three>().down(&db, &Extent::All).await.unwrap_err(),
        runner::<Three>().drop_everything(&db, &[]).await.unwrap_err(),
    ];
    for refused in refusals {
        assert!(matches!(refused, Error::Production { .. }), "{refused}");
    }
    assert_eq!(runner::<Three>().down(&db, &Extent::Count(1)).await.unwrap(), ["m3_c"]);
    // Whatever is not a no is a mark.
    for (value, is_mark) in [("t", true), ("production", true), ("off", false), ("0", false)] {
        let mark = format!("alter database {name} set migration_runner.production = '{value}'");
        db.execute_unprepared(&mark).await.unwrap();
        assert_eq!(runner::<Three>().is_production(&db).await.unwrap(), is_mark, "{value}");
    }
    db.execute_unprepared(&format!("alter database {name} reset migration_runner.production")).await.unwrap();
    assert_eq!(runner::<Three>().down(&db, &Extent::All).await.unwrap(), ["m2_b", "m1_a"]);
}

#[tokio::test]
async fn when_nothing_is_pending_two_statements_are_sent_and_no_lock_is_asked_for() {
    let db = TestDb::empty(Database::Ardb).await;
    runner::<Three>().up(&db).await.unwrap();
    let mut options = sea_orm::ConnectOptions::new(db.url());
    options.max_connections(1).sqlx_logging(false);
    let mut own = sea_orm::Database::connect(options).await.unwrap();
    let sent = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&sent);
    own.set_metric_callback(move |info| sink.lock().unwrap().push(info.statement.sql.clone()));
    let before: i64 = sessions(&db).await;
    assert_eq!(runner::<Three>().up(&own).await.unwrap(), [""; 0]);
    assert_eq!(sessions(&db).await, before, "no connection of its own");
    let sent = sent.lock().unwrap();
    assert_eq!(sent.len(), 2, "{sent:#?}");
    assert!(sent.iter().all(|sql| !sql.contains("advisory")), "{sent:#?}");
}

/// How many sessions this database has ever had.
async fn sessions(db: &TestDb) -> i64 {
    let count = "select pg_stat_force_next_flush() is null::bool, \
                 (select sessions from pg_stat_database where datname = current_database())";
    let statement = sea_orm::Statement::from_string(sea_orm::DbBackend::Postgres, count);
    db.query_one_raw(statement).await.unwrap().unwrap().try_get_by_index(1).unwrap()
}
