//! The embedded servers: started, found, stopped, killed, refused.

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod downloads;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use dev::claim::Holder;
use dev::postgres::Role;
use dev::servers::{Needs, Options};
use dev::{Layout, Program, Servers};
use sea_orm::sqlx::{Connection, PgConnection, query_scalar, raw_sql};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpStream;

use crate::harness::{Ran, archer, ask, deadline, run};

const SOON: Duration = Duration::from_secs(30);

/// A folder for one pair of servers. Whatever still runs there at the end is stopped.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn command(&self, args: &[&str]) -> tokio::process::Command {
        let mut command = archer(args);
        command.env("ARCHER_DIR", self.0.path());
        command
    }

    async fn run(&self, args: &[&str]) -> Ran {
        run(self.command(args)).await
    }

    /// What the command prints with `--json`; it must succeed.
    async fn json(&self, args: &[&str]) -> Value {
        let ran = self.run(&[args, &["--json"]].concat()).await;
        assert_eq!(ran.code, 0, "{args:?}: {}", ran.stderr);
        serde_json::from_str(&ran.stdout).unwrap()
    }

    async fn up_postgres(&self) -> Value {
        self.json(&["dev", "up", "--only", "postgres"]).await["postgres"].clone()
    }

    /// The URL of `ardb`, password and all.
    async fn ardb_url(&self) -> String {
        self.json(&["dev", "env"]).await["ARDB_URL"].as_str().unwrap().to_owned()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut down = self.command(&["dev", "down"]);
        let _ = down.as_std_mut().stdout(Stdio::null()).stderr(Stdio::null()).status();
    }
}

fn pid(value: &Value) -> u32 {
    u32::try_from(value.as_u64().unwrap()).unwrap()
}

async fn is_listening(url: &str) -> bool {
    let url: url::Url = url.parse().unwrap();
    TcpStream::connect((url.host_str().unwrap(), url.port().unwrap())).await.is_ok()
}

/// Whether a process runs; one that has ended and was not yet waited for does not.
fn is_running(pid: u32) -> bool {
    let state =
        std::process::Command::new("ps").args(["-o", "stat=", "-p", &pid.to_string()]).output().unwrap();
    let state = String::from_utf8_lossy(&state.stdout).trim().to_owned();
    !state.is_empty() && !state.starts_with('Z')
}

async fn ended(pid: u32) {
    deadline(SOON, &format!("process {pid} ends"), async || (!is_running(pid)).then_some(())).await;
}

fn kill(pid: u32) {
    let killed = std::process::Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap();
    assert!(killed.success());
}

async fn execute(url: &str, sql: &'static str) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    raw_sql(sql).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

async fn count(url: &str, sql: &'static str) -> i64 {
    let mut connection = PgConnection::connect(url).await.unwrap();
    query_scalar(sql).fetch_one(&mut connection).await.unwrap()
}

#[tokio::test]
async fn both_servers_go_up_are_described_and_go_down() {
    let place = Place::new();
    assert_eq!(place.run(&["dev", "status"]).await.code, 3);
    let up = place.json(&["dev", "up"]).await;
    assert_eq!(up["started"], true);
    let status = place.run(&["dev", "status"]).await;
    assert_eq!((status.code, status.stdout.contains("archer:***@127.0.0.1")), (0, true), "{}", status.stdout);
    assert_eq!(place.json(&["dev", "up"]).await["started"], false);

    let env = place.run(&["dev", "env"]).await.stdout;
    let names: Vec<&str> =
        env.lines().filter_map(|line| line.strip_prefix("export ")?.split('=').next()).collect();
    assert_eq!(
        names,
        [
            "ANALYTICSDB_URL",
            "ARDB_URL",
            "CLICKHOUSE_URL",
            "IDENTITYDB_OWNER_URL",
            "IDENTITYDB_READER_URL",
            "IDENTITYDB_URL"
        ]
    );

    assert_eq!(place.json(&["dev", "down"]).await["stopped"], true);
    for server in ["postgres", "clickhouse"] {
        assert!(!is_listening(up[server]["url"].as_str().unwrap()).await, "{server}");
        ended(pid(&up[server]["pid"])).await;
        ended(pid(&up[server]["owner_pid"])).await;
    }
    assert_eq!(place.run(&["dev", "status"]).await.code, 3);
    assert_eq!(place.run(&["dev", "env"]).await.code, 3);
}

#[tokio::test]
async fn no_server_answers_without_its_password() {
    let place = Place::new();
    place.json(&["dev", "up"]).await;
    let env = place.json(&["dev", "env"]).await;

    let mut clickhouse: url::Url = env["CLICKHOUSE_URL"].as_str().unwrap().parse().unwrap();
    let sql = "SELECT count() FROM numbers(3)";
    assert_eq!(dev::clickhouse::execute(&clickhouse, sql).await.unwrap(), "3");
    clickhouse.set_username("").unwrap();
    clickhouse.set_password(None).unwrap();
    for sql in [sql, "SELECT * FROM file('/etc/passwd', 'LineAsString')", "SYSTEM STOP LISTEN HTTP"] {
        assert!(dev::clickhouse::execute(&clickhouse, sql).await.is_err(), "{sql}");
    }

    let mut postgres: url::Url = env["ARDB_URL"].as_str().unwrap().parse().unwrap();
    postgres.set_password(Some("wrong")).unwrap();
    assert!(PgConnection::connect(postgres.as_str()).await.is_err());
}

/// What the server says of who is connected: the login, whether it is a superuser's, and its roles.
async fn whoami(url: &str) -> String {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let sql = "
        select format('%s %s %s', session_user, usesuper, (
            select string_agg(rolname, ' ' order by rolname) from pg_roles
            where rolname like 'identitydb%' and pg_has_role(oid, 'usage')))
        from pg_user where usename = session_user";
    query_scalar(sql).fetch_one(&mut connection).await.unwrap()
}

#[tokio::test]
async fn identitydb_is_migrated_served_and_reported_by_a_login_each() {
    let place = Place::new();
    place.up_postgres().await;
    let env = place.json(&["dev", "env"]).await;
    let url = |name: &str| env[name].as_str().unwrap();
    for (name, expected) in [
        ("IDENTITYDB_OWNER_URL", "archer_migrator f identitydb_owner"),
        ("IDENTITYDB_URL", "archer_service f identitydb_writer"),
        ("IDENTITYDB_READER_URL", "archer_reports f identitydb_reader"),
    ] {
        assert_eq!(whoami(url(name)).await, expected, "{name}");
    }
    for args in [
        ["migrate", "up", "--db", "identitydb"].as_slice(),
        &["migrate", "down", "--db", "identitydb", "-n", "2", "--yes"],
        // On a throwaway database, which the login may create.
        &["migrate", "plan", "--db", "identitydb"],
        &["migrate", "up", "--db", "identitydb"],
    ] {
        let ran = place.run(args).await;
        assert_eq!(ran.code, 0, "{args:?}: {}{}", ran.stdout, ran.stderr);
    }
    execute(url("IDENTITYDB_URL"), "insert into roles (name) values ('guest')").await;
    let roles = "select count(*) from roles";
    assert_eq!(count(url("IDENTITYDB_READER_URL"), roles).await, 4);
    for name in ["IDENTITYDB_URL", "IDENTITYDB_READER_URL"] {
        let mut connection = PgConnection::connect(url(name)).await.unwrap();
        let refused = raw_sql("create table mine ()").execute(&mut connection).await.unwrap_err();
        assert!(refused.to_string().contains("permission denied"), "{name}: {refused}");
    }
}

#[tokio::test]
async fn what_the_superuser_of_an_older_version_has_migrated_is_the_owners_after_a_start() {
    let place = Place::new();
    place.up_postgres().await;
    let superuser = place.ardb_url().await.replace("/ardb", "/identitydb");
    let up = ["migrate", "up", "--db", "identitydb", "--identitydb-url", &superuser];
    let ran = place.run(&[&up[..], &["--to", "m20261126_100400_create_audit_events"]].concat()).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    place.run(&["dev", "down"]).await;
    place.up_postgres().await;
    for args in [
        ["migrate", "up", "--db", "identitydb"].as_slice(),
        &["migrate", "down", "--db", "identitydb", "-n", "3", "--yes"],
    ] {
        let ran = place.run(args).await;
        assert_eq!(ran.code, 0, "{args:?}: {}{}", ran.stdout, ran.stderr);
    }
}

#[tokio::test]
async fn a_login_that_may_create_roles_migrates_identitydb_where_there_are_none() {
    let place = Place::new();
    place.up_postgres().await;
    let superuser = place.ardb_url().await;
    execute(&superuser, "drop database identitydb").await;
    execute(
        &superuser,
        "drop role archer_migrator, archer_service, archer_reports, identitydb_owner, identitydb_writer, identitydb_reader;
         create role migrator login createrole password 'migrator'",
    )
    .await;
    execute(&superuser, "create database people owner migrator").await;
    let mut migrator: url::Url = superuser.parse().unwrap();
    migrator.set_username("migrator").unwrap();
    migrator.set_password(Some("migrator")).unwrap();
    migrator.set_path("people");
    for args in [["up"].as_slice(), &["down", "-n", "2", "--yes"], &["up"]] {
        let all = ["migrate", "--db", "identitydb", "--identitydb-url", migrator.as_str()];
        let ran = place.run(&[&all, args].concat()).await;
        assert_eq!(ran.code, 0, "{args:?}: {}{}", ran.stdout, ran.stderr);
    }
    let roles = "select count(*) from pg_roles where rolname like 'identitydb%'";
    assert_eq!(count(&superuser, roles).await, 3);
}

#[tokio::test]
async fn two_ups_at_once_give_one_server() {
    let place = Place::new();
    let (first, second) = tokio::join!(place.up_postgres(), place.up_postgres());
    assert_eq!(first, second);
}

#[tokio::test]
async fn a_killed_owner_takes_its_servers_along_and_the_next_up_has_the_data() {
    let place = Place::new();
    let up = place.json(&["dev", "up"]).await;
    execute(&place.ardb_url().await, "create table kept as select 1 as one").await;
    kill(pid(&up["postgres"]["owner_pid"]));
    for server in ["postgres", "clickhouse"] {
        ended(pid(&up[server]["pid"])).await;
        assert!(!is_listening(up[server]["url"].as_str().unwrap()).await, "{server}");
    }
    assert_eq!(place.json(&["dev", "up"]).await["started"], true);
    assert_eq!(count(&place.ardb_url().await, "select count(*) from kept").await, 1);
}

#[tokio::test]
async fn a_killed_postgres_ends_its_owner_and_a_stale_pid_file_is_no_obstacle() {
    let place = Place::new();
    let up = place.up_postgres().await;
    kill(pid(&up["pid"]));
    ended(pid(&up["owner_pid"])).await;
    let log = std::fs::read_to_string(place.0.path().join("hold.log")).unwrap();
    assert!(log.contains("PostgreSQL ended by itself (signal: 9"), "{log}");

    // What it left, as if its process id had since been given to another process: this one.
    let stale = place.0.path().join("postgres/data/postmaster.pid");
    let text = std::fs::read_to_string(&stale).unwrap();
    let (_, rest) = text.split_once('\n').unwrap();
    std::fs::write(&stale, format!("{}\n{rest}", std::process::id())).unwrap();
    place.up_postgres().await;
}

#[tokio::test]
async fn a_killed_clickhouse_is_started_again_where_it_was_and_postgres_goes_on() {
    let place = Place::new();
    let up = place.json(&["dev", "up"]).await;
    let url = place.json(&["dev", "env"]).await["CLICKHOUSE_URL"].as_str().unwrap().to_owned();
    ask(&url, "CREATE TABLE kept ENGINE = MergeTree ORDER BY number AS SELECT number FROM numbers(7)").await;
    // It is not started again where it ends as soon as it is started.
    tokio::time::sleep(Duration::from_secs(6)).await;
    kill(pid(&up["clickhouse"]["pid"]));
    ended(pid(&up["clickhouse"]["pid"])).await;
    // Who comes once its owner has noticed waits for the next.
    let again = deadline(SOON, "another one is there", async || {
        let again = place.json(&["dev", "up"]).await;
        (again["clickhouse"]["pid"] != up["clickhouse"]["pid"]).then_some(again)
    });
    let again = again.await;
    assert_eq!(ask(&url, "SELECT count() FROM kept").await, "7");
    for which in ["pid", "owner_pid"] {
        assert_eq!(again["postgres"][which], up["postgres"][which]);
    }
}

#[tokio::test]
async fn a_port_that_somebody_took_is_replaced_and_a_free_one_is_kept() {
    let place = Place::new();
    let first = place.up_postgres().await["url"].clone();
    place.run(&["dev", "down"]).await;
    assert_eq!(place.up_postgres().await["url"], first);
    place.run(&["dev", "down"]).await;
    let port = first.as_str().unwrap().parse::<url::Url>().unwrap().port().unwrap();
    let _taken = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    assert_ne!(place.up_postgres().await["url"], first);
}

#[tokio::test]
async fn reset_deletes_only_what_somebody_agreed_to_delete() {
    let place = Place::new();
    place.up_postgres().await;
    let refused = place.run(&["dev", "reset"]).await;
    assert_eq!((refused.code, refused.stderr.contains("--yes")), (1, true), "{}", refused.stderr);
    let reset = place.json(&["dev", "reset", "--yes"]).await;
    assert_eq!(reset["stopped"], true);
    assert!(!place.0.path().join("postgres").exists());
}

#[tokio::test]
async fn a_command_that_owns_servers_waits_for_one_that_uses_them() {
    let place = Place::new();
    let layout = Layout::find(Some(place.0.path())).unwrap();
    let program =
        Program { path: env!("CARGO_BIN_EXE_archer-under-test").into(), leading: vec!["dev".into()] };
    let needs = Needs { postgres: true, clickhouse: false };
    let options = Options { durable: false, holder: Holder::Command };
    let owner = Servers::start(&layout, needs, options, &program).await.unwrap();
    let guest = Servers::start(&layout, needs, options, &program).await.unwrap();
    assert_eq!((owner.owns_any(), guest.owns_any()), (true, false));
    let down = place.run(&["dev", "down"]).await;
    assert_eq!((down.code, down.stderr.contains("let it end first")), (1, true), "{}", down.stderr);

    let url = guest.endpoints().postgres("ardb", Role::Writer).unwrap();
    let stopping = tokio::spawn(owner.stop());
    assert_eq!(count(url.expose(), "select 1::bigint").await, 1);
    assert!(!stopping.is_finished());
    guest.stop().await.unwrap();
    stopping.await.unwrap().unwrap();
    assert!(!is_listening(url.expose()).await);
}

/// A holder with its data in a temporary folder below `temporary`, and the URL of its `ardb`.
async fn ephemeral(temporary: &Path) -> (tokio::process::Child, String) {
    let mut command = archer(&["dev", "hold", "--ephemeral", "--until-stdin-closes", "--only", "postgres"]);
    command.env("TMPDIR", temporary).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut holder = command.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(holder.stdout.take().unwrap()).read_line(&mut line).await.unwrap();
    let ready: dev::hold::Ready = serde_json::from_str(&line).unwrap();
    (holder, ready.ardb_url.unwrap())
}

/// The folders of ephemeral servers below `temporary`.
fn folders(temporary: &Path) -> usize {
    let parents = std::fs::read_dir(temporary).unwrap().flatten();
    parents
        .flat_map(|parent| std::fs::read_dir(parent.path()).unwrap().flatten())
        .filter(|entry| entry.path().is_dir())
        .count()
}

#[tokio::test]
async fn a_holder_ends_with_its_standard_input_and_removes_its_folder() {
    let temporary = tempfile::tempdir().unwrap();
    let (mut holder, url) = ephemeral(temporary.path()).await;
    assert_eq!((is_listening(&url).await, folders(temporary.path())), (true, 1));
    drop(holder.stdin.take());
    assert!(holder.wait().await.unwrap().success());
    assert_eq!((is_listening(&url).await, folders(temporary.path())), (false, 0));
}

#[tokio::test]
async fn the_folder_of_a_killed_holder_is_removed_by_the_next() {
    let temporary = tempfile::tempdir().unwrap();
    let (mut killed, url) = ephemeral(temporary.path()).await;
    killed.kill().await.unwrap();
    deadline(SOON, "its server ends", async || (!is_listening(&url).await).then_some(())).await;
    // The port closes before the last process of the server ends.
    deadline(SOON, "its server ends", async || {
        let (mut holder, _) = ephemeral(temporary.path()).await;
        let left = folders(temporary.path());
        drop(holder.stdin.take());
        assert!(holder.wait().await.unwrap().success());
        (left == 1).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_release_that_does_not_exist_is_refused() {
    let place = Place::new();
    let mut command = place.command(&["dev", "up", "--only", "postgres"]);
    command.env("ARCHER_PG", "9");
    let ran = run(command).await;
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("ARCHER_PG is `9`; expected a release from 15 to 18"), "{}", ran.stderr);
}

/// Root takes a way of its own to PostgreSQL; this is the other one.
#[tokio::test]
async fn a_normal_user_has_servers_too() {
    const NOBODY: u32 = 65534;
    let id = std::process::Command::new("id").arg("-u").output().unwrap();
    if String::from_utf8_lossy(&id.stdout).trim() != "0" {
        eprintln!("skipped: every other test runs as a normal user here already");
        return;
    }
    if std::process::Command::new("setpriv").arg("--version").output().is_err() {
        eprintln!("skipped: there is no setpriv to become a normal user with");
        return;
    }
    // The program and the folders of root may be out of a normal user's reach.
    let home = tempfile::tempdir().unwrap();
    std::fs::set_permissions(home.path(), PermissionsExt::from_mode(0o755)).unwrap();
    let program = home.path().join("archer");
    std::fs::copy(env!("CARGO_BIN_EXE_archer-under-test"), &program).unwrap();
    let cache = home.path().join("cache");
    std::fs::create_dir(&cache).unwrap();
    for package in (15..=18).filter_map(dev::package::postgres) {
        if let Some(installed) = dev::cache::find(&package).unwrap() {
            let copied =
                std::process::Command::new("cp").arg("-a").args([&installed, &cache]).status().unwrap();
            assert!(copied.success());
        }
    }
    let place = home.path().join("place");
    std::fs::create_dir(&place).unwrap();
    for folder in [&cache, &place] {
        std::os::unix::fs::chown(folder, Some(NOBODY), Some(NOBODY)).unwrap();
    }
    let as_nobody = |args: &[&str]| {
        let mut command = tokio::process::Command::new("setpriv");
        command
            .args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"])
            .arg(&program)
            .args(args)
            .env("ARCHER_DIR", &place)
            .env("ARCHER_CACHE", &cache)
            .env("HOME", home.path())
            .current_dir("/")
            .stdin(Stdio::null());
        run(command)
    };
    let up = as_nobody(&["dev", "up", "--only", "postgres", "--json"]).await;
    let down = as_nobody(&["dev", "down", "--json"]).await;
    assert_eq!((up.code, down.code), (0, 0), "{} {}", up.stderr, down.stderr);
    assert_eq!(serde_json::from_str::<Value>(&down.stdout).unwrap()["stopped"], true);
}
