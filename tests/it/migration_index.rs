//! Indexes that are built concurrently from inside a migration.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use migration_runner::{ConcurrentIndex, Event, Extent, Runner};
use sea_orm::{
    ConnectOptions, ConnectionTrait, DatabaseConnection, DbErr, DynIden, SqlErr, Statement, TransactionTrait,
};
use sea_orm_migration::sea_query::{Alias, IntoIden};
use sea_orm_migration::{MigrationName, MigrationTrait, MigratorTrait, SchemaManager, async_trait};

use crate::harness::{Database, TestDb, deadline};

const SOON: Duration = Duration::from_secs(60);

fn email_index() -> ConcurrentIndex {
    ConcurrentIndex::new("users_email_idx", "users", "(lower(email)) where deleted_at is null").unique()
}

/// A database with a table of four users.
async fn with_users() -> TestDb {
    let db = TestDb::empty(Database::Ardb).await;
    send(
        &db,
        "create table users (id bigint primary key, email text not null, deleted_at timestamptz);
         insert into users select n, 'user' || n from generate_series(1, 4) n",
    )
    .await;
    db
}

async fn send(db: &DatabaseConnection, sql: &str) {
    db.execute_unprepared(sql).await.unwrap();
}

/// A pool of its own, as another program would have.
async fn connect(db: &TestDb) -> DatabaseConnection {
    sea_orm::Database::connect(ConnectOptions::new(db.url())).await.unwrap()
}

async fn create(db: &DatabaseConnection, index: &ConcurrentIndex) -> Result<(), DbErr> {
    index.create(&SchemaManager::new(db)).await
}

/// Object id and validity of `users_email_idx`.
async fn index(db: &DatabaseConnection) -> Option<(i64, bool)> {
    let select = "select indexrelid::bigint as oid, indisvalid from pg_index \
                  where indexrelid = to_regclass('users_email_idx')";
    let row =
        db.query_one_raw(Statement::from_string(sea_orm::DbBackend::Postgres, select)).await.unwrap()?;
    Some((row.try_get("", "oid").unwrap(), row.try_get("", "indisvalid").unwrap()))
}

#[tokio::test]
async fn in_a_transaction_it_is_refused_with_the_way_out() {
    let db = TestDb::empty(Database::Ardb).await;
    let txn = db.begin().await.unwrap();
    for refused in [
        email_index().create(&SchemaManager::new(&txn)).await,
        email_index().drop(&SchemaManager::new(&txn)).await,
    ] {
        assert_eq!(
            refused.unwrap_err().to_string(),
            "Custom Error: index users_email_idx on users can't be built or dropped concurrently in a transaction; opt \
             out of it with `fn use_transaction(&self) -> Option<bool> { Some(false) }` in the migration"
        );
    }
}

#[tokio::test]
async fn what_is_there_is_not_built_again_and_what_is_gone_is_not_dropped_again() {
    let db = with_users().await;
    create(&db, &email_index()).await.unwrap();
    let built = index(&db).await;
    assert!(built.is_some_and(|(_, valid)| valid));
    let written_otherwise =
        ConcurrentIndex::new("users_email_idx", "users", "( lower(email)  ASC ) WHERE (deleted_at IS NULL)")
            .unique()
            .using("BTREE");
    for again in [email_index(), written_otherwise] {
        create(&db, &again).await.unwrap();
        assert_eq!(index(&db).await, built);
    }
    for _ in 0..2 {
        email_index().drop(&SchemaManager::new(db.connection())).await.unwrap();
        assert_eq!(index(&db).await, None);
    }
    send(&db, "drop table users").await;
    email_index().drop(&SchemaManager::new(db.connection())).await.unwrap();
}

#[tokio::test]
async fn an_invalid_index_is_built_again() {
    let db = with_users().await;
    send(&db, "insert into users values (5, 'user1')").await;
    let failing = "create unique index concurrently users_email_idx on users (lower(email))";
    db.execute_unprepared(failing).await.unwrap_err();
    let (invalid, valid) = index(&db).await.unwrap();
    assert!(!valid);
    send(&db, "delete from users where id = 5").await;
    create(&db, &email_index()).await.unwrap();
    let (built, valid) = index(&db).await.unwrap();
    assert!(valid && built != invalid);
}

#[tokio::test]
async fn a_violation_is_passed_on_and_leaves_no_index_behind() {
    let db = with_users().await;
    send(&db, "insert into users values (5, 'USER1')").await;
    let error = create(&db, &email_index()).await.unwrap_err();
    assert!(matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))), "{error}");
    assert_eq!(index(&db).await, None);
}

#[tokio::test]
async fn an_index_of_another_definition_is_refused_and_left_alone() {
    let db = with_users().await;
    send(&db, "create table teams (email text, deleted_at timestamptz)").await;
    create(&db, &email_index()).await.unwrap();
    let built = index(&db).await;
    let definition = "(lower(email)) where deleted_at is null";
    for (other, says) in [
        (ConcurrentIndex::new("users_email_idx", "users", "(email)").unique(), "another definition"),
        (ConcurrentIndex::new("users_email_idx", "users", "(lower(email))").unique(), "another definition"),
        (ConcurrentIndex::new("users_email_idx", "users", definition), "another definition"),
        (ConcurrentIndex::new("users_email_idx", "users", definition).using("hash"), "another definition"),
        (ConcurrentIndex::new("users_email_idx", "teams", definition).unique(), "an index on users"),
        (ConcurrentIndex::new("teams", "users", definition).unique(), "a table, view or sequence"),
    ] {
        let error = create(&db, &other).await.unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
        assert_eq!(index(&db).await, built);
    }
    let error = create(&db, &ConcurrentIndex::new("users_email_idx", "users", "(email)")).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "Custom Error: index users_email_idx on users is there with another definition, `unique USING btree \
         (lower(email)) WHERE (deleted_at IS NULL)`, and the migration's is `(email)`; drop it, or give one of the two \
         another name"
    );
}

#[tokio::test]
async fn a_role_without_temporary_tables_compares_uniqueness_and_method() {
    let db = with_users().await;
    create(&db, &email_index()).await.unwrap();
    send(
        &db,
        "do $$ begin execute format('revoke temporary on database %I from public', current_database()); end $$;
         alter table users owner to pg_monitor;",
    )
    .await;
    let one = one_connection(&db).await;
    send(&one, "set role pg_monitor").await;
    create(&one, &email_index()).await.unwrap();
    create(&one, &ConcurrentIndex::new("users_email_idx", "users", "(email)")).await.unwrap_err();
}

#[tokio::test]
async fn the_build_has_the_search_path_and_the_role_of_the_connection() {
    let db = with_users().await;
    send(
        &db,
        "create schema app; create table app.users (like public.users); grant usage on schema app to public",
    )
    .await;
    let one = one_connection(&db).await;
    send(&one, "set search_path = app").await;
    create(&one, &email_index()).await.unwrap();
    assert_eq!((index(&db).await, index(&one).await.map(|(_, valid)| valid)), (None, Some(true)));
    send(&one, "set role pg_monitor").await;
    let error = ConcurrentIndex::new("users_id_idx", "users", "(id)").create(&SchemaManager::new(&one)).await;
    assert!(error.unwrap_err().to_string().contains("must be owner of table users"));
}

/// A pool of one connection, so that what is set is set for whatever comes next.
async fn one_connection(db: &TestDb) -> DatabaseConnection {
    let mut options = ConnectOptions::new(db.url());
    options.max_connections(1);
    sea_orm::Database::connect(options).await.unwrap()
}

#[tokio::test]
async fn a_build_that_waits_too_long_is_tried_again_until_the_way_is_free() {
    let db = with_users().await;
    let blocker = db.begin().await.unwrap();
    blocker.execute_unprepared("insert into users values (5, 'user5')").await.unwrap();
    let index_soon = email_index().lock_timeout(Duration::from_millis(300));
    let begun = Instant::now();
    let (built, ()) = tokio::join!(create(&db, &index_soon), async {
        // Attempts and the removal of what they leave come to an end by the timeout.
        tokio::time::sleep(Duration::from_secs(2)).await;
        blocker.commit().await.unwrap();
    });
    built.unwrap();
    assert!(begun.elapsed() >= Duration::from_secs(2));
    assert!(index(&db).await.is_some_and(|(_, valid)| valid));
}

#[tokio::test]
async fn when_patience_is_over_the_error_names_who_was_in_the_way_and_the_next_run_builds() {
    let db = with_users().await;
    let blocker = db.begin().await.unwrap();
    blocker.execute_unprepared("insert into users values (5, 'user5')").await.unwrap();
    let hasty = email_index().lock_timeout(Duration::from_millis(700)).patience(Duration::ZERO);
    let error = create(&db, &hasty).await.unwrap_err().to_string();
    for part in [
        "attempt 1 was the last",
        "idle in transaction",
        "insert into users values (5, 'user5')",
        "pg_terminate_backend",
    ] {
        assert!(error.contains(part), "{part}: {error}");
    }
    blocker.commit().await.unwrap();
    create(&db, &email_index()).await.unwrap();
    assert!(index(&db).await.is_some_and(|(_, valid)| valid));
}

#[tokio::test]
async fn an_index_that_somebody_is_building_just_now_is_awaited() {
    let db = with_users().await;
    await_the_build_of_another(&db, &connect(&db).await).await;
}

#[tokio::test]
async fn a_build_of_another_role_is_awaited_though_the_server_hides_what_it_builds() {
    let db = with_users().await;
    let mut url = url::Url::parse(db.url()).unwrap();
    let role = format!("{}_weak", url.path().trim_start_matches('/'));
    send(
        &db,
        &format!(
            "create role {role} login password 'weak'; alter table users owner to {role}; \
             grant create on schema public to {role}"
        ),
    )
    .await;
    url.set_username(&role).unwrap();
    url.set_password(Some("weak")).unwrap();
    let weak = sea_orm::Database::connect(ConnectOptions::new(url.as_str())).await.unwrap();
    await_the_build_of_another(&db, &weak).await;
    weak.close().await.unwrap();
    send(&db, &format!("drop owned by {role}; drop role {role}")).await;
}

/// Creates the index by `ours` while a superuser is building it.
async fn await_the_build_of_another(db: &TestDb, ours: &DatabaseConnection) {
    let other = connect(db).await;
    let blocker = db.begin().await.unwrap();
    blocker.execute_unprepared("insert into users values (5, 'user5')").await.unwrap();
    let building = tokio::spawn(async move {
        let create = "create unique index concurrently users_email_idx on users (lower(email)) where deleted_at is null";
        other.execute_unprepared(create).await.map(drop)
    });
    let (oid, _) = deadline(SOON, "the other build has begun", async || index(db).await).await;
    let index_now = email_index();
    let (built, ()) = tokio::join!(create(ours, &index_now), async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        // Waiting for a lock of the other build, it would be waited for in turn.
        let locked = "select from pg_stat_activity where datname = current_database() \
                      and application_name = 'concurrent index users_email_idx' and wait_event_type = 'Lock'";
        let locked = Statement::from_string(sea_orm::DbBackend::Postgres, locked);
        assert_eq!(db.query_all_raw(locked).await.unwrap().len(), 0);
        assert_eq!(index(db).await, Some((oid, false)));
        blocker.commit().await.unwrap();
    });
    built.unwrap();
    building.await.unwrap().unwrap();
    assert_eq!(index(db).await, Some((oid, true)));
}

#[tokio::test]
async fn a_run_after_a_cancelled_one_ends_with_a_valid_index() {
    let db = with_users().await;
    let blocker = db.begin().await.unwrap();
    blocker.execute_unprepared("insert into users values (5, 'user5')").await.unwrap();
    tokio::time::timeout(Duration::from_millis(700), create(&db, &email_index())).await.unwrap_err();
    assert!(index(&db).await.is_some_and(|(_, valid)| !valid));
    let index_now = email_index();
    let (built, ()) = tokio::join!(create(&db, &index_now), async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        blocker.commit().await.unwrap();
    });
    built.unwrap();
    assert!(index(&db).await.is_some_and(|(_, valid)| valid));
}

/// A million users, an index on them, and a migration behind it.
enum Step {
    Users,
    Index,
    Behind,
}

impl MigrationName for Step {
    fn name(&self) -> &str {
        match self {
            Self::Users => "m1_users",
            Self::Index => "m2_index",
            Self::Behind => "m3_behind",
        }
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    fn use_transaction(&self) -> Option<bool> {
        matches!(self, Self::Index).then_some(false)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = match self {
            Self::Users => {
                "create unlogged table users (id bigint, email text, deleted_at timestamptz);
                 insert into users select n, 'user' || n from generate_series(1, 1000000) n;
                 create function slow(id bigint) returns bigint immutable language plpgsql as
                     $$ begin perform pg_sleep(1.2); return id; end $$"
            }
            // One row takes longer than it is from one look at the progress to the next.
            Self::Index => {
                let keys = "(email, (case when id = 1 then slow(id) else id end))";
                return ConcurrentIndex::new("users_email_idx", "users", keys).unique().create(manager).await;
            }
            // Fails when it is done twice.
            Self::Behind => "create table behind ()",
        };
        manager.get_connection().execute_unprepared(sql).await.map(drop)
    }
}

struct Million;

impl MigratorTrait for Million {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(Step::Users), Box::new(Step::Index), Box::new(Step::Behind)]
    }

    fn migration_table_name() -> DynIden {
        Alias::new("test_migrations").into_iden()
    }
}

#[tokio::test]
async fn a_million_rows_are_indexed_while_two_more_starters_wait_for_the_lock() {
    let db = TestDb::empty(Database::Ardb).await;
    let runner = || Runner::new::<Million>("test");
    runner().up_by(&db, &Extent::Count(1)).await.unwrap();

    let phases: Arc<Mutex<Vec<String>>> = Arc::default();
    let seen = Arc::clone(&phases);
    let observed = runner().observe(move |event| {
        if let Event::BuildingIndex { index, phase, done, total } = event {
            assert!(index == "users_email_idx" && done <= total, "{event:?}");
            seen.lock().unwrap().push(phase.clone());
        }
    });
    // Keeps the build at its beginning until everybody is there.
    let blocker = db.begin().await.unwrap();
    blocker.execute_unprepared("insert into users values (0, 'nobody')").await.unwrap();
    let first = connect(&db).await;
    let first = tokio::spawn(async move { observed.up(&first).await });
    deadline(SOON, "the build has begun", async || index(&db).await).await;
    let others = [connect(&db).await, connect(&db).await];
    let others = others.map(|other| tokio::spawn(async move { runner().up(&other).await }));
    // Each holds a connection for the lock.
    let waiting = "select count(*) as starters from pg_stat_activity \
                   where datname = current_database() and application_name = 'migration of test'";
    deadline(SOON, "everybody is at the lock", async || {
        let statement = Statement::from_string(sea_orm::DbBackend::Postgres, waiting);
        let row = db.query_one_raw(statement).await.unwrap().unwrap();
        (row.try_get::<i64>("", "starters").unwrap() == 3).then_some(())
    })
    .await;
    blocker.commit().await.unwrap();

    assert_eq!(first.await.unwrap().unwrap(), ["m2_index", "m3_behind"]);
    for other in others {
        assert_eq!(other.await.unwrap().unwrap(), [""; 0]);
    }
    assert!(index(&db).await.is_some_and(|(_, valid)| valid));
    let phases = phases.lock().unwrap();
    assert!(phases.iter().any(|phase| phase == "building index: scanning table"), "{phases:?}");
}
