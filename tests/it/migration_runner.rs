//! The runner against a real server, with small migrators of its own.

use std::time::Duration;

use migration_runner::{Error, Runner, State};
use sea_orm::{ConnectionTrait, DbErr, DynIden};
use sea_orm_migration::sea_query::{Alias, IntoIden};
use sea_orm_migration::{MigrationName, MigrationTrait, MigratorTrait, SchemaManager, async_trait};

use crate::harness::{Database, TestDb};

/// Creates a table of its own name, or fails after having created it.
struct CreateTable {
    name: &'static str,
    fails: bool,
}

impl MigrationName for CreateTable {
    fn name(&self) -> &str {
        self.name
    }
}

#[async_trait::async_trait]
impl MigrationTrait for CreateTable {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let create = format!("create table {} (id bigint)", self.name);
        manager.get_connection().execute_unprepared(&create).await?;
        if self.fails { Err(DbErr::Custom("on purpose".to_owned())) } else { Ok(()) }
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared(&format!("drop table {}", self.name)).await?;
        Ok(())
    }
}

/// Creates an index without a transaction around it, which PostgreSQL would refuse with one.
struct IndexConcurrently;

impl MigrationName for IndexConcurrently {
    fn name(&self) -> &str {
        "m2_index"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for IndexConcurrently {
    fn use_transaction(&self) -> Option<bool> {
        Some(false)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let create = "create index concurrently m1_a_id_idx on m1_a (id)";
        manager.get_connection().execute_unprepared(create).await.map(drop)
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared("drop index concurrently m1_a_id_idx").await.map(drop)
    }
}

fn create(name: &'static str) -> Box<dyn MigrationTrait> {
    Box::new(CreateTable { name, fails: false })
}

/// Declares a migrator of the ledger `test_migrations`.
macro_rules! migrator {
    ($name:ident, $($migration:expr),* $(,)?) => {
        struct $name;

        impl MigratorTrait for $name {
            fn migrations() -> Vec<Box<dyn MigrationTrait>> {
                vec![$($migration),*]
            }

            fn migration_table_name() -> DynIden {
                Alias::new("test_migrations").into_iden()
            }
        }
    };
}

migrator!(Three, create("m1_a"), create("m2_b"), create("m3_c"));
migrator!(OnlySecond, create("m2_b"));
migrator!(FirstTwo, create("m1_a"), create("m2_b"));
migrator!(WithFourth, create("m1_a"), create("m2_b"), create("m4_d"));
migrator!(Broken, create("m1_a"), Box::new(CreateTable { name: "m2_b", fails: true }), create("m3_c"));

migrator!(WithIndex, create("m1_a"), Box::new(IndexConcurrently), create("m3_c"));
migrator!(
    BrokenAfterIndex,
    create("m1_a"),
    Box::new(IndexConcurrently),
    create("m3_c"),
    Box::new(CreateTable { name: "m4_d", fails: true })
);

fn runner<M: MigratorTrait>() -> Runner {
    Runner::new::<M>("test")
}

async fn tables(db: &TestDb) -> Vec<String> {
    let catalog = runner::<Three>().catalog(db.connection()).await.unwrap();
    catalog.objects().filter(|(kind, ..)| *kind == "table").map(|(_, name, _)| name.to_owned()).collect()
}

#[tokio::test]
async fn up_applies_everything_in_order_and_then_has_nothing_to_do() {
    let db = TestDb::empty(Database::Ardb).await;
    assert_eq!(runner::<Three>().up(&db, None).await.unwrap(), ["m1_a", "m2_b", "m3_c"]);
    assert_eq!(runner::<Three>().up(&db, None).await.unwrap(), [""; 0]);
    assert_eq!(tables(&db).await, ["m1_a", "m2_b", "m3_c"]);
}

#[tokio::test]
async fn up_with_a_number_of_steps_stops_there() {
    let db = TestDb::empty(Database::Ardb).await;
    assert_eq!(runner::<Three>().up(&db, Some(2)).await.unwrap(), ["m1_a", "m2_b"]);
    let states: Vec<_> = runner::<Three>()
        .status(&db)
        .await
        .unwrap()
        .migrations
        .iter()
        .map(|migration| migration.state)
        .collect();
    assert_eq!(states, [State::Applied, State::Applied, State::Pending]);
}

#[tokio::test]
async fn a_failure_in_the_middle_leaves_nothing_behind() {
    let db = TestDb::empty(Database::Ardb).await;
    let error = runner::<Broken>().up(&db, None).await.unwrap_err();
    assert_eq!(error.to_string(), "test: up of m2_b failed: Custom Error: on purpose");
    assert_eq!(tables(&db).await, [""; 0]);
    assert!(
        runner::<Broken>()
            .status(&db)
            .await
            .unwrap()
            .migrations
            .iter()
            .all(|one| one.state == State::Pending)
    );
}

#[tokio::test]
async fn a_migration_without_a_transaction_stands_alone_between_the_others() {
    let db = TestDb::empty(Database::Ardb).await;
    assert_eq!(runner::<WithIndex>().up(&db, None).await.unwrap(), ["m1_a", "m2_index", "m3_c"]);
    assert_eq!(runner::<WithIndex>().down(&db, 3).await.unwrap(), ["m3_c", "m2_index", "m1_a"]);
    assert_eq!(tables(&db).await, [""; 0]);
}

#[tokio::test]
async fn a_failure_after_it_keeps_what_was_done_up_to_it_and_nothing_of_what_came_after() {
    let db = TestDb::empty(Database::Ardb).await;
    let error = runner::<BrokenAfterIndex>().up(&db, None).await.unwrap_err();
    assert!(matches!(&error, Error::Migration { migration, .. } if migration == "m4_d"), "{error}");
    assert_eq!(tables(&db).await, ["m1_a"]);
    let states: Vec<_> = runner::<BrokenAfterIndex>().status(&db).await.unwrap().migrations;
    let states: Vec<_> = states.iter().map(|migration| migration.state).collect();
    assert_eq!(states, [State::Applied, State::Applied, State::Pending, State::Pending]);
}

#[tokio::test]
async fn starters_at_the_same_time_apply_each_migration_once() {
    let db = TestDb::empty(Database::Ardb).await;
    let starters: Vec<_> = (0..8)
        .map(|_| {
            let url = db.url().to_owned();
            tokio::spawn(async move {
                let own = sea_orm::Database::connect(url).await.unwrap();
                let applied = runner::<Three>().up(&own, None).await.unwrap().len();
                own.close().await.unwrap();
                applied
            })
        })
        .collect();
    let mut applied = 0;
    for starter in starters {
        applied += starter.await.unwrap();
    }
    assert_eq!(applied, 3);
}

#[tokio::test]
async fn a_starter_that_waits_in_vain_says_who_holds_the_lock() {
    let db = TestDb::empty(Database::Ardb).await;
    let holder = db.connection().get_postgres_connection_pool().acquire().await.unwrap();
    let mut holder = holder.detach();
    sea_orm::sqlx::query(
        "select pg_advisory_lock(hashtextextended('migrations of public.test_migrations', 0))",
    )
    .execute(&mut holder)
    .await
    .unwrap();
    let error = runner::<Three>().patience(Duration::ZERO).up(&db, None).await.unwrap_err();
    let Error::Locked { pid, .. } = error else { panic!("{error}") };
    let own: i32 =
        sea_orm::sqlx::query_scalar("select pg_backend_pid()").fetch_one(&mut holder).await.unwrap();
    assert_eq!(pid, own);
}

#[tokio::test]
async fn down_reverts_in_the_order_of_application() {
    let db = TestDb::empty(Database::Ardb).await;
    runner::<OnlySecond>().up(&db, None).await.unwrap();
    db.connection()
        .execute_unprepared(
            "update test_migrations set applied_at = applied_at + 60; create table m1_a (id bigint)",
        )
        .await
        .unwrap();
    db.connection().execute_unprepared("insert into test_migrations values ('m1_a', 0)").await.unwrap();
    assert_eq!(runner::<FirstTwo>().down(&db, 1).await.unwrap(), ["m2_b"]);
    assert_eq!(runner::<FirstTwo>().down(&db, 9).await.unwrap(), ["m1_a"]);
    assert_eq!(tables(&db).await, [""; 0]);
}

#[tokio::test]
async fn a_late_migration_with_an_older_place_is_refused() {
    let db = TestDb::empty(Database::Ardb).await;
    runner::<OnlySecond>().up(&db, None).await.unwrap();
    let error = runner::<FirstTwo>().up(&db, None).await.unwrap_err();
    assert!(
        matches!(&error, Error::OutOfOrder { late, applied, .. } if late == "m1_a" && applied == "m2_b"),
        "{error}"
    );
}

#[tokio::test]
async fn a_database_ahead_of_the_program_is_accepted_and_not_reverted() {
    let db = TestDb::empty(Database::Ardb).await;
    runner::<Three>().up(&db, None).await.unwrap();
    assert_eq!(runner::<FirstTwo>().up(&db, None).await.unwrap(), [""; 0]);
    let error = runner::<FirstTwo>().down(&db, 1).await.unwrap_err();
    assert!(matches!(&error, Error::Unknown { migration, .. } if migration == "m3_c"), "{error}");
    assert_eq!(tables(&db).await, ["m1_a", "m2_b", "m3_c"]);
}

#[tokio::test]
async fn two_histories_that_parted_are_refused() {
    let db = TestDb::empty(Database::Ardb).await;
    runner::<Three>().up(&db, None).await.unwrap();
    let error = runner::<WithFourth>().up(&db, None).await.unwrap_err();
    assert!(
        matches!(&error, Error::Diverged { unknown, pending, .. } if unknown == "m3_c" && pending == "m4_d"),
        "{error}"
    );
}

#[tokio::test]
async fn plain_sea_orm_migration_and_the_runner_go_on_where_the_other_stopped() {
    let db = TestDb::empty(Database::Ardb).await;
    Three::up(db.connection(), Some(1)).await.unwrap();
    assert_eq!(runner::<Three>().up(&db, Some(1)).await.unwrap(), ["m2_b"]);
    Three::up(db.connection(), None).await.unwrap();
    assert_eq!(runner::<Three>().down(&db, 3).await.unwrap(), ["m3_c", "m2_b", "m1_a"]);
    assert_eq!(Three::get_pending_migrations(db.connection()).await.unwrap().len(), 3);
}

#[tokio::test]
async fn two_catalogs_that_differ_in_one_comment_say_so() {
    let db = TestDb::empty(Database::Ardb).await;
    runner::<Three>().up(&db, None).await.unwrap();
    let before = runner::<Three>().catalog(db.connection()).await.unwrap();
    db.connection().execute_unprepared("comment on table m1_a is 'first'").await.unwrap();
    let after = runner::<Three>().catalog(db.connection()).await.unwrap();
    assert_eq!(before.difference(&after), ["+ comment table public.m1_a: first"]);
}
