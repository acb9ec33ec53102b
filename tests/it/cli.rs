//! The `archer` program as its users meet it: what it prints, and how it ends.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::harness::{Database, Ran, TestDb, TestEvents, archer, run};
use crate::import_support::fixture;

async fn archer_json(args: &[&str], variables: &[(&str, &str)]) -> (i32, Value) {
    let mut command = archer(args);
    command.arg("--json").envs(variables.iter().copied());
    let Ran { code, stdout, stderr } = run(command).await;
    let value = serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}: {stdout}{stderr}"));
    (code, value)
}

/// What a tenant, a number of days, a cluster and a log are not is refused before any server is asked.
#[tokio::test]
async fn what_can_not_be_meant_of_events_is_refused_at_once_with_what_is_expected() {
    let nowhere = tempfile::tempdir().unwrap();
    let missing = nowhere.path().join("log");
    let cases: [(&[&str], i32, &str); 8] = [
        (&["ingest", "events", "-", "--tenant", ""], 2, "expected a name; without --tenant"),
        (&["serve", "--tenant", "a\nb"], 2, "no control character"),
        (&["events", "erase", "--tenant", "", "--actor", "octo"], 2, "expected a name"),
        (
            &["events", "retention", "set", "--tenant", "", "--events-days", "9", "--yes"],
            2,
            "expected a name",
        ),
        (&["events", "retention", "set", "--events-days", "4000000000", "--yes"], 2, "not in 0..=150000"),
        (&["events", "ddl", "--cluster", "x'; drop"], 2, "expected letters, digits"),
        (&["migrate", "up", "--db", "events", "--cluster", ""], 2, "expected letters, digits"),
        (&["ingest", "replay", "--log", missing.to_str().unwrap()], 1, "is no folder of a log"),
    ];
    let events = TestEvents::migrated().await;
    for (args, code, said) in cases {
        let mut command = archer(args);
        command.env("CLICKHOUSE_URL", events.url());
        let ran = run(command).await;
        assert_eq!(ran.code, code, "{args:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(said), "{args:?}: {}", ran.stderr);
    }
    assert!(!missing.exists());
}

/// A repository of three commits by two people, with a lockfile.
fn repository(folder: &Path) {
    let git = |args: &[&str], author: &str, time: &str| {
        let done = Command::new("git")
            .args([
                "-c",
                "init.defaultBranch=main",
                "-c",
                "commit.gpgSign=false",
                "-c",
                "user.useConfigOnly=false",
            ])
            .args(args)
            .current_dir(folder)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .envs([("GIT_AUTHOR_NAME", author), ("GIT_COMMITTER_NAME", author)])
            .envs([("GIT_AUTHOR_EMAIL", "dev@example.org"), ("GIT_COMMITTER_EMAIL", "dev@example.org")])
            .envs([("GIT_AUTHOR_DATE", time), ("GIT_COMMITTER_DATE", time)])
            .output()
            .unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    };
    std::fs::copy(fixture("lockfile/Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    git(&["init", "--quiet"], "One", "");
    git(&["remote", "add", "origin", "https://git.example.org/acme/rocket.git"], "One", "");
    git(&["add", "Cargo.lock"], "One", "");
    git(&["commit", "--quiet", "--message", "Lift off"], "One", "2026-01-01T10:00:00Z");
    git(&["commit", "--quiet", "--allow-empty", "--message", "Turn"], "Two", "2026-01-02T10:00:00Z");
    git(&["commit", "--quiet", "--allow-empty", "--message", "Land"], "One", "2026-01-02T11:00:00Z");
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Processes whose command line names `folder`.
fn processes_of(folder: &Path) -> usize {
    let folder = folder.to_str().unwrap();
    let running = std::fs::read_dir("/proc").unwrap().map(Result::unwrap).filter(|entry| {
        std::fs::read(entry.path().join("cmdline"))
            .is_ok_and(|line| String::from_utf8_lossy(&line).contains(folder))
    });
    running.count()
}

#[tokio::test]
async fn a_second_demo_loads_nothing_prints_the_same_counts_and_leaves_nothing_running() {
    let folder = tempfile::tempdir().unwrap();
    let (work, home, data) =
        (folder.path().join("rocket"), folder.path().join("cargo"), folder.path().join("data"));
    std::fs::create_dir(&work).unwrap();
    repository(&work);
    copy_folder(&fixture("index"), &home.join("registry/index/index.crates.io-0000000000000000/.cache"));
    let demo = async || {
        let mut command = archer(&["demo", "--json", "--osv"]);
        command.arg(fixture("osv")).current_dir(&work).env("CARGO_HOME", &home).env("ARCHER_DIR", &data);
        let Ran { code, stdout, stderr } = run(command).await;
        let mut summary: Value =
            serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}: {stderr}"));
        let mut loaded = Vec::new();
        for step in summary["steps"].as_array_mut().unwrap() {
            loaded.push(step["loaded"].take().as_str().unwrap().to_owned());
            step["seconds"].take();
        }
        summary["seconds"].take();
        summary["digest"]["until"].take();
        (code, loaded, summary)
    };
    let (code, first_loaded, first) = demo().await;
    assert_eq!(code, 0, "{first:#}");
    assert!(first_loaded.iter().filter(|loaded| loaded.contains(" new")).count() >= 4, "{first_loaded:?}");
    let (code, loaded, second) = demo().await;
    assert_eq!(code, 0);
    let nothing = ["", "nothing pending", "nothing new", "nothing new", "nothing new", "nothing new", ""];
    assert_eq!(loaded, nothing);
    let held = |summary: &Value| {
        summary["steps"].as_array().unwrap().iter().map(|step| step["holds"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(held(&first), held(&second));
    assert_eq!(first["most_depended_on"], second["most_depended_on"]);
    assert_eq!(first["digest"], second["digest"]);
    assert_eq!(processes_of(&data), 0);
    assert!(!data.join("postgres/data/postmaster.pid").exists());
    for server in ["postgres", "clickhouse"] {
        let port: u16 =
            std::fs::read_to_string(data.join(server).join("port")).unwrap().trim().parse().unwrap();
        assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err(), "{server} still listens");
    }
}

#[tokio::test]
async fn a_demo_keeps_away_from_configured_databases() {
    let db = TestDb::empty(Database::Ardb).await;
    let ran = run(archer(&["demo", "--database-url", db.url()])).await;
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("embedded servers only"), "{}", ran.stderr);
    let folder = tempfile::tempdir().unwrap();
    let mut command = archer(&["demo"]);
    command.current_dir(folder.path()).env("ARCHER_DIR", folder.path().join("data"));
    command.env("CARGO_HOME", folder.path()).env("DATABASE_URL", db.url());
    assert_eq!(run(command).await.code, 0);
    let tables = "select 1 as one from pg_class where relname = 'packages'";
    let tables = sea_orm::Statement::from_string(sea_orm::DbBackend::Postgres, tables);
    assert_eq!(sea_orm::ConnectionTrait::query_all_raw(&*db, tables).await.unwrap().len(), 0);
}

#[tokio::test]
async fn commands_that_own_what_the_other_uses_both_end() {
    let folder = tempfile::tempdir().unwrap();
    let demo = async || {
        let mut command = archer(&["demo", "--json"]);
        command.current_dir(folder.path()).env("ARCHER_DIR", folder.path().join("data"));
        command.env("CARGO_HOME", folder.path());
        run(command).await.code
    };
    for _ in 0..3 {
        assert_eq!(tokio::join!(demo(), demo()), (0, 0));
    }
    assert_eq!(processes_of(folder.path()), 0);
}

#[tokio::test]
async fn a_file_without_packages_is_no_lockfile_and_empties_no_inventory() {
    let db = TestDb::migrated(Database::Ardb).await;
    let variables = [("ARDB_URL", db.url())];
    let folder = tempfile::tempdir().unwrap();
    let lockfile = folder.path().join("Cargo.lock");
    std::fs::copy(fixture("lockfile/Cargo.lock"), &lockfile).unwrap();
    let import = ["import", "lockfile", lockfile.to_str().unwrap(), "--name", "acme/rocket"];
    assert_eq!(archer_json(&import, &variables).await.0, 0);
    std::fs::write(&lockfile, "").unwrap();
    let (code, report) = archer_json(&import, &variables).await;
    assert_eq!(
        (code, &report["rows"], report["rejected_total"].as_u64()),
        (1, &serde_json::json!({}), Some(1))
    );
}

#[tokio::test]
async fn migrate_goes_up_and_down_and_its_exit_code_tells_what_is_pending() {
    let (db, events) = (TestDb::empty(Database::Ardb).await, TestEvents::empty().await);
    let variables = [("DATABASE_URL", db.url()), ("CLICKHOUSE_URL", events.url())];
    let pending = |report: &Value| {
        let databases = report.as_array().unwrap().iter();
        databases
            .map(|database| {
                let migrations = database["migrations"].as_array().unwrap();
                migrations.iter().filter(|migration| migration["state"] == "pending").count()
            })
            .collect::<Vec<_>>()
    };
    let (code, status) = archer_json(&["migrate", "status"], &variables).await;
    assert_eq!((code, pending(&status).iter().all(|count| *count > 0)), (3, true));
    let (code, _) = archer_json(&["migrate", "up"], &variables).await;
    assert_eq!(code, 0);
    let (code, status) = archer_json(&["migrate", "status"], &variables).await;
    assert_eq!((code, pending(&status)), (0, vec![0, 0, 0, 0]));
    for database in ["ardb", "events"] {
        let (code, down) = archer_json(&["migrate", "down", "--db", database], &variables).await;
        let reverted = down[0]["reverted"].as_array().unwrap().len();
        assert_eq!((code, reverted, down[0]["database"].as_str()), (0, 1, Some(database)));
    }
    let (code, status) = archer_json(&["migrate", "status"], &variables).await;
    assert_eq!((code, pending(&status)), (3, vec![1, 0, 0, 1]));
}

#[tokio::test]
async fn a_database_behind_a_url_is_not_migrated_in_passing() {
    let db = TestDb::empty(Database::Ardb).await;
    let mut command = archer(&["import", "osv"]);
    command.arg(fixture("osv")).env("ARDB_URL", db.url());
    let ran = run(command).await;
    assert_eq!(ran.code, 1);
    assert_eq!(ran.stderr, "error: migrations are pending on ardb; run `archer migrate up --db ardb`\n");
}

#[tokio::test]
async fn a_rejected_record_is_told_with_its_place_and_fails_the_command() {
    let db = TestDb::migrated(Database::Ardb).await;
    let folder = tempfile::tempdir().unwrap();
    copy_folder(&fixture("osv"), folder.path());
    std::fs::write(folder.path().join("EXAMPLE-0000-0000.json"), "{\"id\": ").unwrap();
    let mut command = archer(&["import", "osv"]);
    command.arg(folder.path()).env("ARDB_URL", db.url());
    let ran = run(command).await;
    assert_eq!(ran.code, 1);
    let rejected =
        ran.stdout.lines().find(|line| line.starts_with("rejected")).unwrap_or_else(|| panic!("{ran:?}"));
    assert!(rejected.contains("EXAMPLE-0000-0000.json"), "{rejected}");
    assert!(ran.stdout.contains("advisories"), "{}", ran.stdout);
}

#[tokio::test]
async fn commits_are_ingested_once_queried_and_told_in_a_digest_with_the_inventory() {
    let (db, events) = (TestDb::migrated(Database::Ardb).await, TestEvents::migrated().await);
    let variables = [("ARDB_URL", db.url()), ("CLICKHOUSE_URL", events.url())];
    let folder = tempfile::tempdir().unwrap();
    repository(folder.path());
    let path = folder.path().to_str().unwrap();
    let (code, first) = archer_json(&["ingest", "git", path], &variables).await;
    assert_eq!((code, first["written"].as_u64(), first["duplicate"].as_u64()), (0, Some(3), Some(0)));
    let (code, second) = archer_json(&["ingest", "git", path], &variables).await;
    assert_eq!((code, second["written"].as_u64(), second["duplicate"].as_u64()), (0, Some(0), Some(3)));

    let lockfile = folder.path().join("Cargo.lock");
    let import = ["import", "lockfile", lockfile.to_str().unwrap(), "--name", "acme/rocket"];
    assert_eq!(archer_json(&import, &variables).await.0, 0);

    let mut command = archer(&["query", "run", "most_active_people", "--format", "csv"]);
    command.envs(variables);
    let ran = run(command).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.lines().nth(1).is_some_and(|row| row.starts_with("One,2")), "{}", ran.stdout);

    let digest =
        ["digest", "--scope", "repo:acme/rocket", "--period", "all", "--until", "2026-02-01T00:00:00Z"];
    let (code, page) = archer_json(&digest, &variables).await;
    assert_eq!((code, page["inventory"]["name"].as_str()), (0, Some("acme/rocket")));
    assert!(page["inventory"]["components"].as_u64().unwrap() > 0);
    let mut command = archer(&digest);
    command.envs(variables);
    let text = run(command).await.stdout;
    assert!(text.contains("repo:acme/rocket") && text.contains("Land"), "{text}");
}

#[tokio::test]
async fn a_raw_query_answers_and_can_change_nothing() {
    let events = TestEvents::migrated().await;
    let variables = [("CLICKHOUSE_URL", events.url())];
    let (code, table) =
        archer_json(&["query", "raw", "select count() as events from events final"], &variables).await;
    assert_eq!((code, table["rows"][0][0].as_u64()), (0, Some(0)));
    let mut command = archer(&["query", "raw", "drop table events"]);
    command.envs(variables);
    assert_eq!(run(command).await.code, 1);
    for act in
        ["kill query where 1", "backup table events to Memory('copy')", "/* select */ system flush logs"]
    {
        let mut command = archer(&["query", "raw", act]);
        command.envs(variables);
        let ran = run(command).await;
        assert!(ran.code == 1 && ran.stderr.contains("a raw query asks"), "{ran:?}");
    }
    assert_eq!(events.execute("exists table events").await.trim(), "1");
}

#[tokio::test]
async fn a_wrong_word_is_refused_with_the_right_one() {
    let unknown = run(archer(&["query", "run", "timelin"])).await;
    assert_eq!(unknown.code, 1);
    assert!(unknown.stderr.contains("timeline"), "{}", unknown.stderr);
    let usage = run(archer(&["digest", "--scope", "planet:mars"])).await;
    assert_eq!(usage.code, 2);
    assert!(usage.stderr.contains("repo:"), "{}", usage.stderr);
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_named_with_the_cause_and_without_the_password() {
    for (variable, url, words) in [
        ("ARDB_URL", "postgres://me:hunter2@127.0.0.1:1/ardb", ["migrate", "status", "--db", "ardb"]),
        ("CLICKHOUSE_URL", "http://me:hunter2@127.0.0.1:1/events", ["migrate", "status", "--db", "events"]),
    ] {
        let mut command = archer(&words);
        command.env(variable, url);
        let ran = run(command).await;
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(ran.stderr.contains("127.0.0.1:1") && ran.stderr.contains("refused"), "{}", ran.stderr);
        assert!(!ran.stderr.contains("hunter2"), "{}", ran.stderr);
    }
}

#[tokio::test]
async fn every_command_has_help_with_an_example() {
    let commands: &[&[&str]] = &[
        &[],
        &["demo"],
        &["dev", "up"],
        &["dev", "down"],
        &["dev", "status"],
        &["dev", "env"],
        &["dev", "reset"],
        &["migrate", "status"],
        &["migrate", "up"],
        &["migrate", "down"],
        &["migrate", "plan"],
        &["migrate", "verify"],
        &["migrate", "history"],
        &["migrate", "repair"],
        &["migrate", "baseline"],
        &["migrate", "fresh"],
        &["migrate", "refresh"],
        &["migrate", "reset"],
        &["migrate", "new"],
        &["migrate"],
        &["import", "cargo-index"],
        &["import", "osv"],
        &["import", "lockfile"],
        &["ingest", "git"],
        &["ingest", "github"],
        &["ingest", "gitlab"],
        &["ingest", "bitbucket"],
        &["ingest", "heartbeats"],
        &["ingest", "browser"],
        &["ingest", "cloudevents"],
        &["ingest", "events"],
        &["ingest", "replay"],
        &["query", "list"],
        &["query", "show"],
        &["query", "run"],
        &["query", "raw"],
        &["digest"],
        &["package", "show"],
        &["package", "versions"],
        &["package", "dependents"],
        &["package", "advisories"],
        &["search"],
        &["inventory", "list"],
        &["inventory", "exposure"],
        &["derived", "verify"],
        &["purl", "check"],
        &["version", "affects"],
        &["version", "compare"],
        &["refresh"],
        &["serve"],
        &["--help"],
    ];
    for words in commands {
        let mut command = archer(words);
        command.arg("--help");
        let ran = run(command).await;
        assert_eq!(ran.code, 0, "{words:?}: {}", ran.stderr);
        assert!(ran.stdout.to_lowercase().contains("example"), "{words:?}: {}", ran.stdout);
    }
}
