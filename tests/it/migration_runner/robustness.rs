//! Sessions that end, transactions that are not what they seem, and names that need quotes.

use std::time::Duration;

use migration_runner::{Error, Extent, Runner, Settled, State};
use sea_orm::{ConnectOptions, ConnectionTrait, DatabaseConnection, DynIden, TransactionTrait};
use sea_orm_migration::sea_query::{Alias, IntoIden};
use sea_orm_migration::{MigrationTrait, MigratorTrait};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::{A, B, C, FirstTwo, Sql, Three, alone, migrators, runner, sql, states, tables, value};
use crate::harness::{Database, TestDb};

const SLOW: Sql = alone("m2_slow", "insert into m1_a select 1 from pg_sleep(1)", "delete from m1_a");
/// Works until the test opens its [`Gate`].
const GATED: Sql =
    alone("m2_slow", "insert into m1_a select 1 from pg_advisory_lock_shared(77)", "delete from m1_a");
const COMMITS: Sql = sql("m2_b", "begin; create table m2_b (id bigint); commit", "drop table m2_b");
const DUMP: Sql = sql(
    "m2_b",
    "select pg_catalog.set_config('search_path', '', false); create table public.m2_b (id bigint)",
    "drop table m2_b",
);
const LOCKS: Sql = sql("m2_b", "lock table m1_a; create table m2_b (id bigint)", "drop table m2_b");
const TWICE: Sql = sql("m1_a", "create table other (id bigint)", "drop table other");
const ROWS: Sql = sql("m3_rows", "insert into m1_a values (1)", "delete from m1_a");

migrators! {
    Slow: [A, SLOW];
    Gated: [A, GATED];
    Commits: [A, COMMITS, C];
    Dump: [A, DUMP, C];
    Locks: [A, LOCKS];
    Twice: [A, TWICE];
    WithRows: [A, B, ROWS];
}

async fn connect(url: &str) -> DatabaseConnection {
    let mut options = ConnectOptions::new(url);
    options.max_connections(2).sqlx_logging(false);
    sea_orm::Database::connect(options).await.unwrap()
}

/// What the migration waits for.
struct Gate(sea_orm::DatabaseTransaction);

impl Gate {
    async fn closed(db: &TestDb) -> Self {
        let txn = db.begin().await.unwrap();
        txn.execute_unprepared("select pg_advisory_xact_lock(77)").await.unwrap();
        Self(txn)
    }

    async fn open(self) {
        self.0.commit().await.unwrap();
    }
}

/// Comes back when the server works for the migration.
async fn at_work(db: &TestDb) {
    let works = "select count(*) from pg_stat_activity \
                  where datname = current_database() and state = 'active' and query like 'insert into m1_a select%'";
    while value(db, works).await == "0" {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn start<M: MigratorTrait>(db: &TestDb) -> tokio::task::JoinHandle<Result<Vec<String>, Error>> {
    let url = db.url().to_owned();
    tokio::spawn(async move { runner::<M>().up(&connect(&url).await).await })
}

#[tokio::test]
async fn a_server_that_ends_idle_sessions_does_not_end_that_of_the_lock() {
    let db = TestDb::empty(Database::Ardb).await;
    let name = value(&db, "select current_database()").await;
    db.execute_unprepared(&format!("alter database {name} set idle_session_timeout = '200ms'"))
        .await
        .unwrap();
    assert_eq!(start::<Slow>(&db).await.unwrap().unwrap(), ["m1_a", "m2_slow"]);
    let db = connect(db.url()).await;
    let history = runner::<Slow>().history(&db, 9).await.unwrap();
    assert_eq!(history.iter().map(|entry| entry.success).collect::<Vec<_>>(), [Some(true), Some(true)]);
}

#[tokio::test]
async fn the_work_is_protected_when_only_the_session_of_the_lock_was_ended() {
    let db = TestDb::empty(Database::Ardb).await;
    let gate = Gate::closed(&db).await;
    let first = start::<Gated>(&db);
    at_work(&db).await;
    let end = "select pg_terminate_backend(pid) from pg_stat_activity \
               where datname = current_database() and application_name = 'migration of test'";
    db.execute_unprepared(end).await.unwrap();
    let error = runner::<Gated>().patience(Duration::from_millis(50)).up(&db).await.unwrap_err();
    assert!(
        matches!(&error, Error::Locked { holder, .. } if holder.contains("migrations of test")),
        "{error}"
    );
    gate.open().await;
    first.await.unwrap().unwrap_err();
    let error = runner::<Gated>().up(&db).await.unwrap_err();
    assert!(matches!(error, Error::Interrupted { .. }), "{error}");
    assert_eq!(value(&db, "select count(*) from m1_a").await, "1", "not run a second time");
}

#[tokio::test]
async fn what_an_error_says_to_terminate_ends_the_lock_and_the_work() {
    let db = TestDb::empty(Database::Ardb).await;
    let gate = Gate::closed(&db).await;
    let first = start::<Gated>(&db);
    at_work(&db).await;
    let error = runner::<Gated>().patience(Duration::ZERO).up(&db).await.unwrap_err();
    let text = error.to_string();
    let advice = text.split('`').nth(1).unwrap();
    assert!(advice.starts_with("select pg_terminate_backend(pid) from unnest(array["), "{text}");
    db.execute_unprepared(advice).await.unwrap();
    first.await.unwrap().unwrap_err();
    gate.open().await;
    assert_eq!(value(&db, "select count(*) from m1_a").await, "0");
    runner::<Gated>().settle(&db, "m2_slow", Settled::Pending).await.unwrap();
    assert_eq!(runner::<Gated>().up(&db).await.unwrap(), ["m2_slow"]);
}

#[tokio::test]
async fn a_run_that_was_cancelled_is_waited_for_as_long_as_the_server_works() {
    let db = TestDb::empty(Database::Ardb).await;
    let gate = Gate::closed(&db).await;
    let first = start::<Gated>(&db);
    at_work(&db).await;
    first.abort();
    let early = runner::<Gated>().patience(Duration::ZERO).up(&db).await.unwrap_err();
    assert!(matches!(early, Error::Locked { .. }), "{early}");
    gate.open().await;
    let error = runner::<Gated>().up(&db).await.unwrap_err();
    assert!(matches!(error, Error::Interrupted { .. }), "{error}");
    assert_eq!(value(&db, "select count(*) from m1_a").await, "1");
}

/// A way to the server of `url` that lets a `COMMIT` through, and no answer to it.
async fn cut_at_commit(url: &str) -> String {
    let mut url = url::Url::parse(url).unwrap();
    let address = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    url.set_port(Some(listener.local_addr().unwrap().port())).unwrap();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut server = TcpStream::connect(&address).await.unwrap();
            tokio::spawn(async move {
                let (mut up, mut down) = (vec![0; 65536], vec![0; 65536]);
                loop {
                    tokio::select! {
                        read = client.read(&mut up) => {
                            let Ok(read @ 1..) = read else { break };
                            server.write_all(&up[..read]).await.unwrap();
                            if up[..read].windows(7).any(|bytes| bytes == b"COMMIT\0") {
                                // The server's answer, which goes no further.
                                drop(server.read(&mut down).await);
                                break;
                            }
                        }
                        read = server.read(&mut down) => {
                            let Ok(read @ 1..) = read else { break };
                            if client.write_all(&down[..read]).await.is_err() {
                                break;
                            }
                        }
                    }
                }
            });
        }
    });
    url.into()
}

#[tokio::test]
async fn a_commit_without_an_answer_is_not_called_a_failure_and_is_found_out_by_the_next_run() {
    let db = TestDb::empty(Database::Ardb).await;
    let cut = connect(&cut_at_commit(db.url()).await).await;
    let error = runner::<Three>().up(&cut).await.unwrap_err();
    assert!(matches!(error, Error::CommitUnknown { .. }), "{error}");
    assert_eq!(runner::<Three>().up(&db).await.unwrap(), [""; 0], "it was committed");
    let history = runner::<Three>().history(&db, 9).await.unwrap();
    let told: Vec<_> = history.iter().map(|entry| (entry.success, entry.checksum.is_some())).collect();
    assert_eq!(told, [(Some(true), true); 3]);
    assert_eq!(states::<Three>(&db).await, [State::Applied; 3]);
}

#[tokio::test]
async fn a_commit_in_the_sql_of_a_migration_is_named_and_what_it_left_has_to_be_settled() {
    let db = TestDb::empty(Database::Ardb).await;
    let error = runner::<Commits>().up(&db).await.unwrap_err();
    assert!(matches!(&error, Error::TransactionEnded { migration, .. } if migration == "m2_b"), "{error}");
    assert_eq!(states::<Commits>(&db).await, [State::Applied, State::Interrupted, State::Pending]);
    let told = "select string_agg(migration || ' ' || success, ',' order by id) from test_migrations_log";
    assert_eq!(value(&db, told).await, "m1_a true,m2_b false");
    runner::<Commits>().settle(&db, "m2_b", Settled::Applied).await.unwrap();
    assert_eq!(runner::<Commits>().up(&db).await.unwrap(), ["m3_c"]);
}

#[tokio::test]
async fn a_runner_that_was_renamed_settles_what_the_old_one_left() {
    let db = TestDb::empty(Database::Ardb).await;
    let gate = Gate::closed(&db).await;
    let first = start::<Gated>(&db);
    at_work(&db).await;
    first.abort();
    gate.open().await;
    let renamed = Runner::new::<Gated>("renamed");
    let error = renamed.up(&db).await.unwrap_err();
    assert!(matches!(error, Error::Interrupted { .. }), "{error}");
    renamed.settle(&db, "m2_slow", Settled::Applied).await.unwrap();
    assert_eq!(renamed.up(&db).await.unwrap(), [""; 0]);
    assert_eq!(renamed.history(&db, 9).await.unwrap().len(), 3);
}

#[tokio::test]
async fn schemas_whose_names_need_quotes_are_worked_in_by_every_command() {
    let db = TestDb::empty(Database::Ardb).await;
    db.execute_unprepared("create schema app; create table app.kept (id bigint)").await.unwrap();
    for schema in ["App", "we ird\"q'"] {
        let quoted = format!("\"{}\"", schema.replace('"', "\"\""));
        db.execute_unprepared(&format!("create schema {quoted}")).await.unwrap();
        let mut options = ConnectOptions::new(db.url());
        options.max_connections(1).sqlx_logging(false);
        let own = sea_orm::Database::connect(options).await.unwrap();
        own.execute_unprepared(&format!("set search_path = {quoted}")).await.unwrap();
        let runner = runner::<Three>();
        assert_eq!(runner.plan(&own, &Extent::All).await.unwrap().migrations.len(), 3, "{schema}");
        assert_eq!(runner.up(&own).await.unwrap().len(), 3, "{schema}");
        assert!(runner.verify(&own).await.unwrap().is_sound(), "{schema}");
        assert_eq!(runner.down(&own, &Extent::Count(1)).await.unwrap(), ["m3_c"], "{schema}");
        runner.drop_everything(&own, &[]).await.unwrap();
        let left = runner.catalog(&own).await.unwrap();
        assert!(left.objects().all(|(kind, ..)| kind != "table"), "{schema}: {left:?}");
        own.close().await.unwrap();
    }
    assert_eq!(value(&db, "select count(*) from app.kept").await, "0", "of another schema");
}

#[tokio::test]
async fn dropping_everything_drops_types_collations_and_text_search_as_well() {
    let db = TestDb::empty(Database::Ardb).await;
    db.execute_unprepared(
        "create type addr as (street text); create collation german (provider = icu, locale = 'de'); \
         create text search configuration plain (copy = simple)",
    )
    .await
    .unwrap();
    runner::<Three>().drop_everything(&db, &[]).await.unwrap();
    assert!(runner::<Three>().catalog(db.connection()).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_a_migration_sets_for_its_session_ends_with_it() {
    let db = TestDb::empty(Database::Ardb).await;
    assert_eq!(runner::<Dump>().up(&db).await.unwrap(), ["m1_a", "m2_b", "m3_c"]);
    assert_eq!(tables(&db).await, ["m1_a", "m2_b", "m3_c"]);
}

#[tokio::test]
async fn what_plain_sea_orm_migration_applies_while_the_runner_waits_is_not_applied_again() {
    let db = TestDb::empty(Database::Ardb).await;
    runner::<FirstTwo>().up(&db).await.unwrap();
    let stock = db.begin().await.unwrap();
    stock
        .execute_unprepared("create table m3_c (id bigint); insert into test_migrations values ('m3_c', 1)")
        .await
        .unwrap();
    let waiting = start::<Three>(&db);
    let waits = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    while value(&db, waits).await == "0" {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    stock.commit().await.unwrap();
    assert_eq!(waiting.await.unwrap().unwrap(), [""; 0]);
    assert_eq!(states::<Three>(&db).await, [State::Applied; 3]);
}

#[tokio::test]
async fn two_migrations_of_one_name_are_refused_before_anything_is_done() {
    let db = TestDb::empty(Database::Ardb).await;
    let error = runner::<Twice>().up(&db).await.unwrap_err();
    assert!(matches!(&error, Error::DuplicateName { migration, .. } if migration == "m1_a"), "{error}");
    assert_eq!(tables(&db).await, [""; 0]);
}

#[tokio::test]
async fn timeouts_beyond_what_the_server_can_count_are_brought_within_it() {
    for timeout in [Duration::from_secs(30 * 86400), Duration::from_micros(1)] {
        let db = TestDb::empty(Database::Ardb).await;
        let runner = runner::<Three>().lock_timeout(timeout).timeouts_outside_transactions(timeout, timeout);
        assert_eq!(runner.up(&db).await.unwrap().len(), 3, "{timeout:?}");
    }
}

#[tokio::test]
async fn a_baseline_runs_migrations_as_a_run_would() {
    let db = TestDb::empty(Database::Ardb).await;
    db.execute_unprepared("create table m1_a (id bigint); create table m2_b (id bigint)").await.unwrap();
    assert_eq!(runner::<Locks>().baseline(&db, "m2_b", false).await.unwrap(), ["m1_a", "m2_b"]);
}

#[tokio::test]
async fn a_role_that_may_create_nothing_migrates_rows_where_ledger_and_log_are() {
    let db = TestDb::empty(Database::Ardb).await;
    runner::<FirstTwo>().up(&db).await.unwrap();
    let role = format!("rows_of_{}", value(&db, "select current_database()").await);
    db.execute_unprepared(&format!(
        "create role {role}; grant {role} to current_user; grant usage on schema public to {role}; \
         grant select, insert, update on test_migrations, test_migrations_log, m1_a to {role}"
    ))
    .await
    .unwrap();
    let mut options = ConnectOptions::new(db.url());
    options.max_connections(1).sqlx_logging(false);
    let narrow = sea_orm::Database::connect(options).await.unwrap();
    narrow.execute_unprepared(&format!("set role {role}")).await.unwrap();
    assert_eq!(runner::<WithRows>().up(&narrow).await.unwrap(), ["m3_rows"]);
    narrow.close().await.unwrap();
    db.execute_unprepared(&format!("drop owned by {role}; drop role {role}")).await.unwrap();
}
