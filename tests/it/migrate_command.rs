//! `archer migrate`, every command of it: what it prints, for people and as JSON, and how it ends.

use std::path::Path;
use std::time::Duration;

use migration_runner::State;
use sea_orm::{ConnectionTrait as _, TransactionTrait as _};
use serde_json::{Value, json};

use crate::harness::{Database, Ran, TestDb, TestEvents, archer, deadline, run};

/// `archer migrate` with `words`, on ardb and ClickHouse.
async fn migrate(words: &[&str], ardb: &TestDb, events: Option<&TestEvents>) -> Ran {
    let mut command = archer(&["migrate"]);
    command.args(words).env("ARDB_URL", ardb.url());
    if let Some(events) = events {
        command.env("CLICKHOUSE_URL", events.url());
    }
    run(command).await
}

async fn json_of(words: &[&str], ardb: &TestDb, events: Option<&TestEvents>) -> (i32, Value) {
    let ran = migrate(&[words, &["--json"]].concat(), ardb, events).await;
    let value = serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:?}"));
    (ran.code, value)
}

/// The names of ardb's migrations, oldest first.
fn names() -> Vec<String> {
    use sea_orm_migration::MigratorTrait as _;
    migration_ardb::Migrator::migrations().iter().map(|migration| migration.name().to_owned()).collect()
}

async fn applied(db: &TestDb) -> usize {
    let status = migration::runner("ardb").unwrap().status(db).await.unwrap();
    status.migrations.iter().filter(|migration| migration.state == State::Applied).count()
}

/// The word that every line under the database's name begins with.
fn words_of(ran: &Ran) -> Vec<&str> {
    let lines = ran.stdout.lines().filter(|line| line.starts_with("  "));
    lines.filter_map(|line| line.split_whitespace().next()).collect()
}

#[tokio::test]
async fn without_a_subcommand_there_is_help_with_an_example_and_nothing_is_done() {
    let db = TestDb::empty(Database::Ardb).await;
    let ran = migrate(&[], &db, None).await;
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.stderr.contains("archer migrate status"), "{}", ran.stderr);
    assert_eq!(migrate(&["--db", "ardb"], &db, None).await.code, 2);
    assert_eq!(applied(&db).await, 0);
}

#[tokio::test]
async fn status_is_a_list_with_time_and_duration_and_no_while_anything_is_pending() {
    let db = TestDb::migrated(Database::Ardb).await;
    let ran = migrate(&["status", "--db", "ardb"], &db, None).await;
    assert_eq!((ran.code, words_of(&ran)), (0, vec!["applied"; names().len()]), "{ran:?}");
    let line = ran.stdout.lines().nth(1).unwrap();
    assert!(line.contains(&names()[0]) && line.contains(" UTC  ") && line.ends_with("s"), "{line}");
    assert!(!ran.stdout.contains('\u{1b}'), "no colours without a terminal: {}", ran.stdout);

    migration::runner("ardb").unwrap().down(&db, &migration_runner::Extent::Count(1)).await.unwrap();
    let (code, status) = json_of(&["status", "--db", "ardb"], &db, None).await;
    let migrations = status[0]["migrations"].as_array().unwrap();
    assert_eq!((code, &status[0]["database"], &status[0]["error"]), (3, &json!("ardb"), &Value::Null));
    assert_eq!(migrations.last().unwrap()["state"], "pending");
}

#[tokio::test]
async fn up_goes_as_far_as_it_is_told_and_a_dry_run_changes_nothing() {
    let db = TestDb::empty(Database::Ardb).await;
    let names = names();
    let dry = migrate(&["up", "--dry-run", "--to", &names[1], "--db", "ardb"], &db, None).await;
    assert_eq!((dry.code, applied(&db).await), (0, 0), "{dry:?}");
    assert!(dry.stdout.contains(&format!("-- {}", names[1])), "{}", dry.stdout);
    assert!(dry.stdout.to_lowercase().contains("create table ecosystems"), "{}", dry.stdout);
    let (_, dry) = json_of(&["up", "--dry-run", "-n", "1", "--db", "ardb"], &db, None).await;
    assert_eq!(dry[0]["dry_run"][0]["name"], json!(names[0]));

    let (code, up) = json_of(&["up", "--to", &names[1], "--db", "ardb"], &db, None).await;
    assert_eq!((code, up), (0, json!([{"database": "ardb", "applied": names[..2], "error": null}])));
    let up = migrate(&["up", "-n", "1", "--db", "ardb"], &db, None).await;
    assert_eq!(up.stdout, format!("ardb\n  applied  {}\n", names[2]));
    assert_eq!(migrate(&["up", "--db", "ardb"], &db, None).await.code, 0);
    let up = migrate(&["up", "--db", "ardb"], &db, None).await;
    assert_eq!(up.stdout, "ardb\n  nothing to do\n");

    let wrong =
        migrate(&["up", "--to", "m20261102_090100_create_ecosystem", "--db", "ardb"], &db, None).await;
    assert_eq!(wrong.code, 1);
    assert!(wrong.stderr.contains(&format!("did you mean {}?", names[1])), "{}", wrong.stderr);
}

#[tokio::test]
async fn down_of_one_asks_nobody_and_of_more_wants_to_be_answered() {
    let db = TestDb::migrated(Database::Ardb).await;
    let names = names();
    let all = names.len();
    let (code, down) = json_of(&["down", "--db", "ardb"], &db, None).await;
    assert_eq!((code, &down[0]["reverted"]), (0, &json!([names[all - 1]])));

    let refused = migrate(&["down", "--to", &names[0], "--db", "ardb"], &db, None).await;
    assert_eq!((refused.code, refused.stdout.as_str()), (1, ""));
    let what = format!("what {} migrations of ardb have made", all - 2);
    assert!(refused.stderr.contains(&what) && refused.stderr.contains("--yes"), "{}", refused.stderr);
    let (code, refused) = json_of(&["down", "-n", "2", "--db", "ardb"], &db, None).await;
    assert_eq!(code, 1);
    assert!(refused[0]["error"].as_str().unwrap().contains("MIGRATION_YES=1"), "{refused}");
    assert_eq!(applied(&db).await, all - 1);

    let dry = migrate(&["down", "--dry-run", "--to", &names[0], "--db", "ardb"], &db, None).await;
    assert_eq!((dry.code, applied(&db).await), (0, all - 1), "{dry:?}");
    assert!(dry.stdout.contains("drop table"), "{}", dry.stdout);

    let down = migrate(&["down", "--to", &names[0], "--yes", "--db", "ardb"], &db, None).await;
    assert_eq!((down.code, words_of(&down).len(), applied(&db).await), (0, all - 2, 1), "{down:?}");
}

#[tokio::test]
async fn what_is_for_one_database_wants_it_named() {
    let db = TestDb::empty(Database::Ardb).await;
    for words in [
        &["down"][..],
        &["baseline", "m1"],
        &["repair", "--applied", "m1"],
        &["repair", "--pending", "m1"],
        &["new", "create_orders"],
        &["down", "--db", "ardb,events"],
        &["up", "--to", "m1", "-n", "1"],
    ] {
        let ran = migrate(words, &db, None).await;
        assert_eq!(ran.code, 2, "{words:?}: {ran:?}");
    }
    let ran = migrate(&["down"], &db, None).await;
    assert!(ran.stderr.contains("archer migrate down --db ardb"), "{}", ran.stderr);
}

#[tokio::test]
async fn plan_and_verify_and_history_answer_for_people_and_for_programs() {
    let (db, events) = (TestDb::empty(Database::Ardb).await, TestEvents::empty().await);
    let both = ["--db", "ardb,events"];
    let first = names().remove(0);
    let plan = migrate(&[&["plan", "-n", "1"][..], &both].concat(), &db, Some(&events)).await;
    assert_eq!(plan.code, 0, "{plan:?}");
    assert!(plan.stdout.contains(&first) && plan.stdout.contains("create_events"), "{}", plan.stdout);
    let (_, plan) = json_of(&[&["plan", "--to", &first][..], &["--db", "ardb"]].concat(), &db, None).await;
    assert_eq!(plan[0]["migrations"][0]["name"], json!(first));

    let (code, verified) = json_of(&[&["verify"][..], &both].concat(), &db, Some(&events)).await;
    assert_eq!(code, 0, "{verified:#}");
    assert_eq!(verified[0]["migrations"].as_array().unwrap().len(), names().len());
    assert_eq!(verified[1]["findings"], json!([]));
    assert_eq!(applied(&db).await, 0, "it was a throwaway database");

    let history = migrate(&[&["history"][..], &both].concat(), &db, Some(&events)).await;
    assert_eq!(history.stdout, "ardb\n  nothing was run yet\n\nevents\n  nothing was run yet\n");
    migrate(&[&["up"][..], &both].concat(), &db, Some(&events)).await;
    let (code, history) = json_of(&[&["history", "-n", "2"][..], &both].concat(), &db, Some(&events)).await;
    let entries = history[0]["entries"].as_array().unwrap();
    assert_eq!((code, entries.len()), (0, 2));
    assert_eq!(entries[0]["migration"], json!(names().last().unwrap()));
    let program = entries[0]["program"].as_str().unwrap();
    assert!(program.starts_with("archer 0"), "{program}");
    assert_eq!(history[1]["entries"][0]["program"], program);
    let text = migrate(&[&["history"][..], &both].concat(), &db, Some(&events)).await.stdout;
    assert!(text.contains(" UTC  up  ") && text.contains(program), "{text}");
}

/// Makes ardb's first migration look as if it had been applied from other SQL.
async fn change(db: &TestDb) {
    let change = "update ardb_migrations_log set checksum = 'other', up_sql = array['select 1'] where id = 1";
    assert_eq!(db.execute_unprepared(change).await.unwrap().rows_affected(), 1);
}

#[tokio::test]
async fn changed_sql_stops_up_is_shown_by_a_dry_repair_and_accepted_by_a_repair() {
    let db = TestDb::migrated(Database::Ardb).await;
    let first = names().remove(0);
    change(&db).await;
    let status = migrate(&["status", "--db", "ardb"], &db, None).await;
    assert_eq!((status.code, words_of(&status)[0]), (3, "changed"));
    let up = migrate(&["up", "--db", "ardb"], &db, None).await;
    assert!(up.code == 1 && up.stderr.contains("-select 1"), "{up:?}");

    let dry = migrate(&["repair", "--dry-run", "--db", "ardb"], &db, None).await;
    assert_eq!(dry.code, 3);
    assert!(dry.stdout.contains(&format!("changed  {first}")) && dry.stdout.contains("-select 1"), "{dry:?}");
    let (code, dry) = json_of(&["repair", "--dry-run", "--db", "ardb"], &db, None).await;
    assert_eq!((code, &dry[0]["changes"][0]["migration"]), (3, &json!(first)));
    let refused = migrate(&["repair", "--db", "ardb"], &db, None).await;
    assert!(refused.code == 1 && refused.stderr.contains("-select 1"), "{refused:?}");
    assert!(refused.stderr.contains("say --yes"), "{refused:?}");
    assert_eq!(migrate(&["status", "--db", "ardb"], &db, None).await.code, 3);

    let (code, repaired) = json_of(&["repair", "--yes", "--db", "ardb"], &db, None).await;
    assert_eq!((code, &repaired[0]["accepted"][0]["migration"]), (0, &json!(first)));
    assert_eq!(migrate(&["status", "--db", "ardb"], &db, None).await.code, 0);
    let again = migrate(&["repair", "--db", "ardb"], &db, None).await;
    assert_eq!((again.code, again.stdout.as_str()), (0, "ardb\n  nothing has changed\n"));
}

#[tokio::test]
async fn an_interrupted_migration_is_shown_with_its_error_and_settled_by_name() {
    let db = TestDb::migrated(Database::Ardb).await;
    let last = names().pop().unwrap();
    let interrupt = format!(
        "update ardb_migrations_log set transactional = false, success = false, error = 'it was killed' \
         where migration = '{last}'; delete from ardb_migrations where version = '{last}'"
    );
    db.execute_unprepared(&interrupt).await.unwrap();
    let status = migrate(&["status", "--db", "ardb"], &db, None).await;
    assert_eq!((status.code, words_of(&status).contains(&"interrupted")), (3, true), "{status:?}");
    assert!(status.stdout.ends_with("\n               it was killed\n"), "{}", status.stdout);
    let up = migrate(&["up", "--db", "ardb"], &db, None).await;
    assert!(up.code == 1 && up.stderr.contains(&format!("repair --applied {last}")), "{up:?}");

    let (code, settled) = json_of(&["repair", "--applied", &last, "--db", "ardb"], &db, None).await;
    assert_eq!((code, &settled[0]["settled_applied"]), (0, &json!([last])));
    assert_eq!(migrate(&["status", "--db", "ardb"], &db, None).await.code, 0);
}

#[tokio::test]
async fn databases_do_not_wait_for_each_other() {
    let (stuck, free) = (TestDb::empty(Database::Ardb).await, TestDb::empty(Database::Identitydb).await);
    let in_the_way = stuck.begin().await.unwrap();
    in_the_way.execute_unprepared("create table ecosystems (id bigint)").await.unwrap();
    let mut command = archer(&["migrate", "up", "--db", "ardb,identitydb"]);
    command.env("ARDB_URL", stuck.url()).env("IDENTITYDB_URL", free.url());
    let running = tokio::spawn(run(command));
    let identitydb = migration::runner("identitydb").unwrap();
    deadline(Duration::from_secs(20), "identitydb is migrated while ardb waits", async || {
        (!identitydb.status(&free).await.unwrap().is_pending()).then_some(())
    })
    .await;
    assert!(!running.is_finished());
    in_the_way.rollback().await.unwrap();
    let ran = running.await.unwrap();
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stdout.starts_with("ardb\n  applied  "), "{}", ran.stdout);
}

#[tokio::test]
async fn what_is_not_interrupted_can_t_be_settled() {
    let db = TestDb::migrated(Database::Ardb).await;
    let first = names().remove(0);
    let ran = migrate(&["repair", "--applied", &first, "--db", "ardb"], &db, None).await;
    assert!(ran.code == 1 && ran.stderr.contains("is applied already"), "{ran:?}");
    let events = TestEvents::migrated().await;
    let name = "m20261120_090000_create_events";
    let ran = migrate(&["repair", "--pending", name, "--db", "events"], &db, Some(&events)).await;
    assert!(ran.code == 1 && ran.stderr.starts_with("error: events: "), "{ran:?}");
}

#[tokio::test]
async fn baseline_marks_what_is_there_and_refuses_what_is_not() {
    let db = TestDb::migrated(Database::Ardb).await;
    let names = names();
    db.execute_unprepared("drop table ardb_migrations_log; truncate ardb_migrations").await.unwrap();
    let last = names.last().unwrap();
    let (code, marked) = json_of(&["baseline", last, "--db", "ardb"], &db, None).await;
    assert_eq!((code, &marked[0]["marked"]), (0, &json!(names)), "{marked:#}");

    let empty = TestDb::empty(Database::Ardb).await;
    let refused = migrate(&["baseline", &names[0], "--db", "ardb"], &empty, None).await;
    assert!(refused.code == 1 && refused.stderr.contains("--unchecked"), "{refused:?}");
    let marked = migrate(&["baseline", &names[0], "--unchecked", "--db", "ardb"], &empty, None).await;
    assert_eq!(marked.stdout, format!("ardb\n  marked  {}\n", names[0]));
}

#[tokio::test]
async fn fresh_refresh_and_reset_ask_and_do_it_once_they_are_answered() {
    let (db, events) = (TestDb::migrated(Database::Ardb).await, TestEvents::migrated().await);
    let both = ["--db", "ardb,events"];
    for word in ["fresh", "refresh", "reset"] {
        let refused = migrate(&[&[word][..], &both].concat(), &db, Some(&events)).await;
        assert_eq!((refused.code, refused.stdout.as_str()), (1, ""));
        assert!(refused.stderr.contains("everything in ardb, everything in events"), "{}", refused.stderr);
    }
    db.execute_unprepared("create table stray (id bigint)").await.unwrap();
    events.execute("CREATE TABLE `a?stray` (x UInt8) ENGINE = Memory").await;
    let (code, fresh) = json_of(&[&["fresh", "--yes"][..], &both].concat(), &db, Some(&events)).await;
    assert_eq!(code, 0, "{fresh:#}");
    assert_eq!((&fresh[0]["dropped"], &fresh[0]["applied"]), (&json!(true), &json!(names())));
    assert_eq!(fresh[1]["applied"].as_array().unwrap().len(), events::migration::all().len());
    assert_eq!(
        events
            .execute(
                "SELECT count() FROM system.tables WHERE database = currentDatabase() AND name LIKE '%stray'"
            )
            .await
            .trim(),
        "0"
    );
    let (code, refresh) = json_of(&[&["refresh", "--yes"][..], &both].concat(), &db, Some(&events)).await;
    let mut backwards = names();
    backwards.reverse();
    assert_eq!(
        (code, &refresh[0]["reverted"], &refresh[0]["applied"]),
        (0, &json!(backwards), &json!(names()))
    );
    assert_eq!(refresh[1]["reverted"].as_array().unwrap().len(), events::migration::all().len());
    let mut reset = archer(&["migrate", "reset", "--db", "ardb"]);
    reset.env("ARDB_URL", db.url()).env("MIGRATION_YES", "1");
    assert_eq!((words_of(&run(reset).await).len(), applied(&db).await), (names().len(), 0));
}

#[tokio::test]
async fn a_database_marked_as_production_refuses_even_with_yes() {
    let db = TestDb::migrated(Database::Ardb).await;
    let mark = "do $$ begin execute format('alter database %I set migration_runner.production = on', current_database()); end $$";
    db.execute_unprepared(mark).await.unwrap();
    for words in [
        &["fresh", "--yes"][..],
        &["refresh", "--yes"],
        &["reset", "--yes"],
        &["reset"],
        &["down", "-n", "2", "--yes"],
    ] {
        let ran = migrate(&[words, &["--db", "ardb"]].concat(), &db, None).await;
        assert!(ran.code == 1 && ran.stderr.contains("marked as production"), "{words:?}: {ran:?}");
    }
    assert_eq!(applied(&db).await, names().len());
}

#[tokio::test]
async fn one_database_that_fails_or_can_t_be_reached_keeps_the_others_from_nothing() {
    let (broken, db) = (TestDb::empty(Database::Ardb).await, TestDb::empty(Database::Identitydb).await);
    let events = TestEvents::empty().await;
    broken.execute_unprepared("create table ecosystems (id bigint)").await.unwrap();
    let up = async |json: &[&str]| {
        let mut command = archer(&["migrate", "up"]);
        command.args(json).env("ARDB_URL", broken.url()).env("IDENTITYDB_URL", db.url());
        command.env("ANALYTICSDB_URL", "postgres://me:hunter2@127.0.0.1:1/analyticsdb");
        command.env("CLICKHOUSE_URL", events.url());
        run(command).await
    };
    let ran = up(&["--json"]).await;
    assert_eq!(ran.code, 1);
    let reports: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:?}"));
    let databases: Vec<_> = reports.as_array().unwrap().iter().map(|one| one["database"].clone()).collect();
    assert_eq!(databases, ["ardb", "identitydb", "analyticsdb", "events"]);
    let error = reports[0]["error"].as_str().unwrap();
    assert!(error.contains("create_ecosystems") && error.contains("already exists"), "{error}");
    assert_eq!(reports[1]["applied"].as_array().unwrap().len(), 11);
    assert!(reports[2]["error"].as_str().unwrap().contains("127.0.0.1:1"), "{reports:#}");
    assert_eq!(reports[3]["applied"].as_array().unwrap().len(), events::migration::all().len());
    let ran = up(&[]).await;
    assert_eq!(ran.stdout, "identitydb\n  nothing to do\n\nevents\n  nothing to do\n");
    assert!(ran.stderr.contains("create_ecosystems") && !ran.stderr.contains("hunter2"), "{}", ran.stderr);
}

/// A workspace with ardb's list of migrations and one migration.
fn skeleton(root: &Path) {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for file in [
        "migration/ardb/src/lib.rs",
        "migration/ardb/src/m20261102_090000_create_ardb_set_updated_at.rs",
        "events/src/migration/mod.rs",
    ] {
        std::fs::create_dir_all(root.join(file).parent().unwrap()).unwrap();
        std::fs::copy(sources.join(file), root.join(file)).unwrap();
    }
}

#[tokio::test]
async fn new_adds_a_migration_to_the_workspace_around_or_to_the_folder_that_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    skeleton(&root);
    let below = root.join("migration");
    let new = async |words: &[&str], here: &Path| {
        let mut command = archer(&["migrate", "new"]);
        command.args(words).current_dir(here);
        run(command).await
    };
    let ran = new(&["create_orders", "--db", "ardb", "--json"], &below).await;
    let added: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:?}"));
    let name = added[0]["name"].as_str().unwrap();
    assert_eq!((ran.code, &added[0]["database"]), (0, &json!("ardb")));
    assert!(name.ends_with("_create_orders"), "{name}");
    let list = std::fs::read_to_string(root.join("migration/ardb/src/lib.rs")).unwrap();
    assert!(list.contains(&format!("mod {name};")) && list.contains(&format!("Box::new({name}::Migration)")));
    assert!(root.join(format!("migration/ardb/src/{name}.rs")).is_file());

    let dir = root.join("events");
    let ran = new(
        &["create_clicks", "--db", "events", "--dir", dir.to_str().unwrap()],
        folder.path().parent().unwrap(),
    )
    .await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stdout.contains("archer migrate verify --db events"), "{}", ran.stdout);
    let list = std::fs::read_to_string(dir.join("src/migration/mod.rs")).unwrap();
    let line = list.lines().find(|line| line.contains("::CreateClicks)")).unwrap_or_else(|| panic!("{list}"));
    let name = line.trim().strip_prefix("Box::new(").unwrap().split("::").next().unwrap();
    let file = std::fs::read_to_string(dir.join(format!("src/migration/{name}.rs"))).unwrap();
    assert!(file.contains("impl Migration for CreateClicks") && !file.contains('%'), "{file}");

    let refused = new(&["Create Orders", "--db", "ardb"], &below).await;
    assert!(refused.code == 1 && refused.stderr.contains("create_orders"), "{refused:?}");
    let lost = new(&["create_orders", "--db", "identitydb"], &below).await;
    assert!(lost.code == 1 && lost.stderr.contains("--dir"), "{lost:?}");
}
