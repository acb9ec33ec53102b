//! What `sea-orm-cli migrate` runs, called as it calls it: a subcommand, `-n`, and `DATABASE_URL`.

use std::path::Path;
use std::process::Stdio;

use sea_orm::ConnectionTrait as _;
use tokio::process::Command;

use crate::harness::{Database, Ran, TestDb, run};

/// The migration program with `arguments`, in an environment without URLs and a folder without `.env`.
fn migration(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_migration-under-test"));
    let kept = ["PATH", "HOME", "ARCHER_CACHE", "XDG_CACHE_HOME", "ARCHER_PG"];
    command.args(arguments).env_clear().stdin(Stdio::null()).current_dir(std::env::temp_dir());
    command.envs(kept.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
    command
}

async fn migrate(arguments: &[&str], url: &str) -> Ran {
    let mut command = migration(arguments);
    command.env("DATABASE_URL", url);
    run(command).await
}

fn count(ran: &Ran, word: &str) -> usize {
    assert_eq!(ran.code, 0, "{ran:?}");
    ran.stdout.lines().filter(|line| line.contains(word)).count()
}

#[tokio::test]
async fn all_databases_go_up_down_and_up_again_overlaid_in_one() {
    let db = TestDb::empty(Database::Ardb).await;
    let all = count(&migrate(&["status"], db.url()).await, "  pending  ");
    assert!(all > 10, "{all}");
    assert_eq!(count(&migrate(&["up"], db.url()).await, "  applied  "), all);
    assert_eq!(count(&migrate(&["status"], db.url()).await, "  applied  "), all);
    assert_eq!(count(&migrate(&["down", "-n", "1"], db.url()).await, "  reverted  "), 3);
    assert_eq!(count(&migrate(&["status"], db.url()).await, "  pending  "), 3);
    let refreshed = migrate(&["refresh", "--yes"], db.url()).await;
    assert_eq!((count(&refreshed, "  reverted  "), count(&refreshed, "  applied  ")), (all - 3, all));
    assert_eq!(count(&migrate(&["up", "-n", "1"], db.url()).await, "nothing to do"), 3);
}

#[tokio::test]
async fn what_loses_all_data_asks_first_and_changes_nothing_unanswered() {
    let db = TestDb::overlaid().await;
    for command in ["fresh", "refresh", "reset"] {
        let refused = migrate(&[command], db.url()).await;
        assert_eq!((refused.code, refused.stdout.as_str()), (1, ""), "{refused:?}");
        assert!(refused.stderr.contains("MIGRATION_YES=1"), "{}", refused.stderr);
    }
    assert_eq!(count(&migrate(&["status"], db.url()).await, "  pending  "), 0);
}

#[tokio::test]
async fn fresh_drops_also_what_no_migration_made_and_applies_everything() {
    let db = TestDb::overlaid().await;
    db.execute_unprepared(
        "create table stray (id bigint); \
         create function strays() returns bigint language sql begin atomic select count(*) from stray; end; \
         create view stray_view as select strays(); create type stray_kind as enum ('a')",
    )
    .await
    .unwrap();
    let mut command = migration(&["fresh"]);
    command.env("DATABASE_URL", db.url()).env("MIGRATION_YES", "1");
    let ran = run(command).await;
    assert_eq!(count(&ran, "  dropped  "), 3);
    let left = "select 1 as one from pg_class where relname like 'stray%' union all \
                select 1 from pg_type where typname = 'stray_kind' union all select 1 from pg_proc where proname = 'strays'";
    let left = sea_orm::Statement::from_string(sea_orm::DbBackend::Postgres, left);
    assert_eq!(db.query_all_raw(left).await.unwrap().len(), 0);
    assert_eq!(count(&migrate(&["status"], db.url()).await, "  pending  "), 0);
}

#[tokio::test]
async fn a_failure_is_told_with_the_migration_and_fails_the_command() {
    let db = TestDb::empty(Database::Ardb).await;
    db.execute_unprepared("create table ecosystems (id bigint)").await.unwrap();
    let ran = migrate(&["up"], db.url()).await;
    assert_eq!(ran.code, 1);
    assert!(
        ran.stderr.contains("create_ecosystems") && ran.stderr.contains("already exists"),
        "{}",
        ran.stderr
    );
    assert!(
        ran.stdout.starts_with("identitydb\n  applied  "),
        "the others still have their turn: {}",
        ran.stdout
    );
}

#[tokio::test]
async fn a_typed_url_is_refused_beside_a_configured_one() {
    let db = TestDb::empty(Database::Ardb).await;
    let mut command = migration(&["up"]);
    command.env("DATABASE_URL", db.url()).env("ARDB_URL", "postgres://elsewhere.example.org/ardb");
    let ran = run(command).await;
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("name two databases"), "{}", ran.stderr);
    assert_eq!(count(&migrate(&["status"], db.url()).await, "  applied  "), 0);
}

#[tokio::test]
async fn without_a_url_it_starts_a_server_and_leaves_none_behind() {
    let folder = tempfile::tempdir().unwrap();
    let here = async |arguments: &[&str]| {
        let mut command = migration(arguments);
        command.env("ARCHER_DIR", folder.path());
        run(command).await
    };
    assert!(count(&here(&["up"]).await, "  applied  ") > 10);
    assert_eq!(count(&here(&["status"]).await, "  pending  "), 0);
    assert!(!postmaster_runs(folder.path()));
}

#[tokio::test]
async fn a_schema_that_is_not_there_is_named_as_the_trouble() {
    let db = TestDb::empty(Database::Ardb).await;
    let ran = migrate(&["status", "-s", "nowhere"], db.url()).await;
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("no schema to create tables in"), "{}", ran.stderr);
}

#[tokio::test]
async fn no_subcommand_is_not_up() {
    let db = TestDb::empty(Database::Ardb).await;
    let ran = migrate(&[], db.url()).await;
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{ran:?}");
    assert!(ran.stderr.contains("requires a subcommand"), "{}", ran.stderr);
    let without_url = run(migration(&[])).await;
    assert_eq!(without_url.code, 2);
    assert!(without_url.stderr.contains("sea-orm-cli migrate up"), "{}", without_url.stderr);
    assert_eq!(count(&migrate(&["status"], db.url()).await, "  applied  "), 0);
}

#[tokio::test]
async fn for_programs_there_is_one_array_also_when_it_fails() {
    let db = TestDb::empty(Database::Ardb).await;
    db.execute_unprepared("create table ecosystems (id bigint)").await.unwrap();
    let ran = migrate(&["up", "--json"], db.url()).await;
    let reports: serde_json::Value =
        serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:?}"));
    assert_eq!(
        (ran.code, &reports[0]["database"], &reports[1]["database"]),
        (1, &"ardb".into(), &"identitydb".into())
    );
    assert!(reports[0]["error"].as_str().unwrap().contains("create_ecosystems"), "{reports:#}");
    assert_eq!(reports[1]["error"], serde_json::Value::Null);
}

#[tokio::test]
async fn new_starts_no_server_and_adds_to_the_folder_that_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let sources =
        Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("migration/identitydb/src/lib.rs");
    std::fs::create_dir(folder.path().join("src")).unwrap();
    std::fs::copy(sources, folder.path().join("src/lib.rs")).unwrap();
    let mut command = migration(&["new", "create_teams", "--dir"]);
    command.arg(folder.path()).env("ARCHER_DIR", folder.path().join("data"));
    let ran = run(command).await;
    assert_eq!(count(&ran, "_create_teams.rs"), 1);
    assert!(!folder.path().join("data").exists());
}

/// PostgreSQL removes its pid file when it ends as it should.
fn postmaster_runs(folder: &Path) -> bool {
    folder.join("postgres/data/postmaster.pid").exists()
}
