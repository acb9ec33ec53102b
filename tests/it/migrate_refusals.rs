//! What `archer migrate` and a project's own program refuse, before anything is touched.

use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::harness::{Database, Ran, TestDb, TestEvents, archer, run};

/// `archer migrate` with `words` on everything overlaid in one database, and ClickHouse.
async fn migrate(words: &[&str], db: &TestDb, events: &TestEvents) -> Ran {
    let mut command = archer(&["migrate"]);
    command.args(words).env("DATABASE_URL", db.url()).env("CLICKHOUSE_URL", events.url());
    run(command).await
}

async fn count(db: &TestDb, table: &str) -> i64 {
    let count = format!("select count(*) as count from {table}");
    let statement = sea_orm::Statement::from_string(sea_orm::DbBackend::Postgres, count);
    db.query_one_raw(statement).await.unwrap().unwrap().try_get("", "count").unwrap()
}

#[tokio::test]
async fn fresh_of_one_database_leaves_the_others_that_share_its_schema() {
    let (db, events) = (TestDb::overlaid().await, TestEvents::empty().await);
    let ran = migrate(&["fresh", "--db", "ardb", "--yes"], &db, &events).await;
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stderr.contains("analyticsdb_migrations, identitydb_migrations"), "{}", ran.stderr);
    assert!(count(&db, "identitydb_migrations").await > 0 && count(&db, "ardb_migrations").await > 0);
    let all = migrate(&["fresh", "--db", "ardb,identitydb,analyticsdb", "--yes"], &db, &events).await;
    assert_eq!(all.code, 0, "{all:?}");
}

#[tokio::test]
async fn one_mark_of_production_keeps_every_database_from_losing_everything() {
    let (db, events) = (TestDb::overlaid().await, TestEvents::migrated().await);
    let database = db.url().rsplit('/').next().unwrap().to_owned();
    db.execute_unprepared(&format!("alter database {database} set migration_runner.production = 'on'"))
        .await
        .unwrap();
    for word in ["fresh", "refresh", "reset"] {
        let ran = migrate(&[word, "--yes"], &db, &events).await;
        assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{ran:?}");
        assert!(ran.stderr.contains("nothing was changed: ardb is marked as production"), "{}", ran.stderr);
    }
    let status = migrate(&["status"], &db, &events).await;
    assert_eq!(status.code, 0, "everything is as it was: {status:?}");
}

#[tokio::test]
async fn a_target_is_for_one_database() {
    let (db, events) = (TestDb::empty(Database::Ardb).await, TestEvents::empty().await);
    for word in ["up", "plan"] {
        let ran = migrate(&[word, "--to", "m20261102_090100_create_ecosystems"], &db, &events).await;
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(ran.stderr.contains(&format!("archer migrate {word} --db ardb")), "{}", ran.stderr);
    }
}

#[tokio::test]
async fn a_plan_refuses_what_up_would_refuse() {
    let (db, events) = (TestDb::overlaid().await, TestEvents::empty().await);
    db.execute_unprepared("update ardb_migrations_log set checksum = 'another' where id = 1").await.unwrap();
    for word in ["plan", "up"] {
        let ran = migrate(&[word, "--db", "ardb"], &db, &events).await;
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(ran.stderr.contains("its SQL has changed since"), "{}", ran.stderr);
    }
}

#[tokio::test]
async fn repair_adopts_what_was_applied_without_a_checksum() {
    let (db, events) = (TestDb::overlaid().await, TestEvents::empty().await);
    db.execute_unprepared("drop table ardb_migrations_log").await.unwrap();
    let applied = count(&db, "ardb_migrations").await;
    let ran = migrate(&["repair", "--db", "ardb", "--yes", "--json"], &db, &events).await;
    let reports: Value = serde_json::from_str(&ran.stdout).unwrap();
    let accepted = reports[0]["accepted"].as_array().unwrap();
    assert_eq!((ran.code, i64::try_from(accepted.len()).unwrap()), (0, applied), "{ran:?}");
    assert!(accepted.iter().all(|one| one["difference"] == json!("")), "{reports:#}");
    let again = migrate(&["repair", "--db", "ardb", "--yes"], &db, &events).await;
    assert_eq!(again.stdout, "ardb\n  nothing has changed\n");
}

#[tokio::test]
async fn a_program_of_its_own_tells_an_unreachable_server_at_once_and_shows_no_password() {
    let cases = [
        ("postgres://u:secret@127.0.0.1:1/shop", "Connection refused"),
        ("mysql://u:secret@127.0.0.1/shop", "the URL is none of PostgreSQL"),
    ];
    for (url, expected) in cases {
        let mut command = Command::new(env!("CARGO_BIN_EXE_runner-under-test"));
        command.args(["cli", "status"]).env("DATABASE_URL", url);
        let start = std::time::Instant::now();
        let ran = run(command).await;
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(ran.stderr.contains(expected) && !ran.stderr.contains("secret"), "{}", ran.stderr);
        assert!(start.elapsed().as_secs() < 9, "{:?}", start.elapsed());
    }
}
