//! What plain `sea-orm-migration` does, beside what the runner does, and the way from one to the other and back.
//!
//! The simultaneous starters are in [`super::starters`], a forgotten `down` in the tests of `verify`, and
//! `fresh` and `reset` that ask in those of the command line.

use std::time::Duration;

use migration_runner::{Error, Extent, Runner, State};
use sea_orm::{ConnectionTrait, DynIden};
use sea_orm_migration::sea_query::{Alias, IntoIden};
use sea_orm_migration::{MigrationTrait, MigratorTrait};

use super::{
    A, B, Broken, FirstTwo, OnlySecond, Sql, Three, alone, migrators, runner, sql, states, tables, value,
};
use crate::harness::{Database, TestDb};

const SEED: Sql = alone("m2_seed", "insert into m1_a select 1 from pg_sleep(0.2)", "delete from m1_a");

migrators! {
    OnlyA: [A];
    Seeded: [A, SEED];
}

/// Two migrators on the ledger that neither of them has named.
struct Shop;
struct Blog;

impl MigratorTrait for Shop {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(A)]
    }
}

impl MigratorTrait for Blog {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(B)]
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_starters_of_a_migration_outside_transactions_run_it_four_times_there_and_once_here() {
    for (stock, expected) in [(true, "4"), (false, "1")] {
        let db = TestDb::empty(Database::Ardb).await;
        OnlyA::up(db.connection(), None).await.unwrap();
        let starters: Vec<_> = (0..4)
            .map(|_| {
                let url = db.url().to_owned();
                tokio::spawn(async move {
                    let own = sea_orm::Database::connect(url).await.unwrap();
                    if stock {
                        // All but the first fail afterwards, at the ledger.
                        drop(Seeded::up(&own, None).await);
                    } else {
                        runner::<Seeded>().up(&own).await.unwrap();
                    }
                    own.close().await.unwrap();
                })
            })
            .collect();
        for starter in starters {
            starter.await.unwrap();
        }
        assert_eq!(value(&db, "select count(*) from m1_a").await, expected, "stock: {stock}");
    }
}

#[tokio::test]
async fn a_failure_leaves_half_a_release_there_and_nothing_here() {
    let db = TestDb::empty(Database::Ardb).await;
    Broken::up(db.connection(), None).await.unwrap_err();
    assert_eq!(tables(&db).await, ["m1_a"]);

    let db = TestDb::empty(Database::Ardb).await;
    runner::<Broken>().up(&db).await.unwrap_err();
    assert_eq!(tables(&db).await, [""; 0]);
}

#[tokio::test]
async fn two_migrators_on_one_ledger_fail_there_and_live_together_here() {
    let db = TestDb::empty(Database::Ardb).await;
    Shop::up(db.connection(), None).await.unwrap();
    let error = Blog::up(db.connection(), None).await.unwrap_err();
    assert!(error.to_string().contains("is missing"), "{error}");

    let db = TestDb::empty(Database::Ardb).await;
    let (shop, blog) = (Runner::new::<Shop>("shop"), Runner::new::<Blog>("blog"));
    assert_eq!(shop.up(&db).await.unwrap(), ["m1_a"]);
    assert_eq!(blog.up(&db).await.unwrap(), ["m2_b"]);
    assert_eq!(shop.status(&db).await.unwrap().migrations.len(), 1);
    assert_eq!(shop.down(&db, &Extent::All).await.unwrap(), ["m1_a"]);
    assert_eq!(blog.status(&db).await.unwrap().migrations[0].state, State::Applied);
}

#[tokio::test]
async fn a_late_migration_is_applied_silently_there_and_refused_here() {
    let db = TestDb::empty(Database::Ardb).await;
    OnlySecond::up(db.connection(), None).await.unwrap();
    FirstTwo::up(db.connection(), None).await.unwrap();
    assert_eq!(tables(&db).await, ["m1_a", "m2_b"]);

    let db = TestDb::empty(Database::Ardb).await;
    runner::<OnlySecond>().up(&db).await.unwrap();
    let error = runner::<FirstTwo>().up(&db).await.unwrap_err();
    assert!(matches!(error, Error::OutOfOrder { .. }), "{error}");
}

#[tokio::test]
async fn down_reverts_the_last_of_the_vector_there_and_the_last_applied_here() {
    for (stock, left) in [(true, "m1_a"), (false, "m2_b")] {
        let db = TestDb::empty(Database::Ardb).await;
        OnlySecond::up(db.connection(), None).await.unwrap();
        tokio::time::sleep(Duration::from_millis(1100)).await;
        FirstTwo::up(db.connection(), None).await.unwrap();
        if stock {
            FirstTwo::down(db.connection(), Some(1)).await.unwrap();
        } else {
            assert_eq!(runner::<FirstTwo>().down(&db, &Extent::Count(1)).await.unwrap(), ["m1_a"]);
        }
        assert_eq!(tables(&db).await, [left], "stock: {stock}");
    }
}

#[tokio::test]
async fn a_project_of_plain_sea_orm_migration_is_taken_over_without_a_change_and_can_go_back() {
    struct Project;
    impl MigratorTrait for Project {
        fn migrations() -> Vec<Box<dyn MigrationTrait>> {
            Three::migrations()
        }
    }
    let db = TestDb::empty(Database::Ardb).await;
    let ledger = "select string_agg(format('%s %s %s', attname, format_type(atttypid, atttypmod), attnotnull), ',' order by attnum) \
                  from pg_attribute where attrelid = 'seaql_migrations'::regclass and attnum > 0";
    Project::up(db.connection(), Some(1)).await.unwrap();
    let before = value(&db, ledger).await;

    let runner = Runner::new::<Project>("project");
    assert_eq!(runner.up_by(&db, &Extent::Count(1)).await.unwrap(), ["m2_b"]);
    assert_eq!(value(&db, ledger).await, before);

    Project::up(db.connection(), None).await.unwrap();
    assert!(Project::get_pending_migrations(db.connection()).await.unwrap().is_empty());
    assert_eq!(runner.up(&db).await.unwrap(), [""; 0]);
    Project::down(db.connection(), Some(1)).await.unwrap();
    assert_eq!(runner.up(&db).await.unwrap(), ["m3_c"]);
    assert_eq!(runner.down(&db, &Extent::All).await.unwrap(), ["m3_c", "m2_b", "m1_a"]);
    assert_eq!(Project::get_pending_migrations(db.connection()).await.unwrap().len(), 3);
    Project::fresh(db.connection()).await.unwrap();
    assert_eq!(runner.up(&db).await.unwrap(), [""; 0]);
}

#[tokio::test]
async fn a_plain_sea_orm_migration_at_the_same_time_waits_for_the_runner() {
    const SLOW_B: Sql = sql("m2_b", "create table m2_b (id bigint); select pg_sleep(0.5)", "drop table m2_b");
    migrators! { Slow: [A, SLOW_B] }
    let db = TestDb::empty(Database::Ardb).await;
    OnlyA::up(db.connection(), None).await.unwrap();
    let url = db.url().to_owned();
    let ours = tokio::spawn(async move {
        let own = sea_orm::Database::connect(url).await.unwrap();
        runner::<Slow>().up(&own).await
    });
    while value(&db, "select count(*) from pg_stat_activity where query like '%pg_sleep(0.5)%' and pid <> pg_backend_pid() and state = 'active' \
                      and datname = current_database()").await == "0" {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // It sees nothing applied yet, waits at the ledger or the table, and is then refused by either.
    Slow::up(db.connection(), None).await.unwrap_err();
    assert_eq!(ours.await.unwrap().unwrap(), ["m2_b"]);
    assert_eq!(states::<Slow>(&db).await, [State::Applied, State::Applied]);
}

#[tokio::test]
async fn catalogs_that_differ_in_one_comment_say_so() {
    let db = TestDb::empty(Database::Ardb).await;
    runner::<Three>().up(&db).await.unwrap();
    let before = runner::<Three>().catalog(db.connection()).await.unwrap();
    db.connection().execute_unprepared("comment on table m1_a is 'first'").await.unwrap();
    let after = runner::<Three>().catalog(db.connection()).await.unwrap();
    assert_eq!(before.difference(&after), ["+ comment table public.m1_a: first"]);
}
