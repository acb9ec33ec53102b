//! `verify`: it finds nothing in our migrations, and in each bad one exactly what is wrong with it.

mod catalog;
mod claims;
mod ours;
mod rows;
mod tables;

use migration_runner::{Claims, Finding, Runner, Verification};
use sea_orm::{ConnectionTrait, DbErr};
use sea_orm_migration::{MigrationName, MigrationTrait, MigratorTrait, SchemaManager, async_trait};

use crate::harness::{Database, TestDb};

/// A migration of plain SQL.
struct Sql {
    name: &'static str,
    up: &'static str,
    /// `None`: what the trait does by itself.
    down: Option<&'static str>,
    transaction: Option<bool>,
}

impl MigrationName for Sql {
    fn name(&self) -> &str {
        self.name
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Sql {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared(self.up).await.map(drop)
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        match self.down {
            Some("") => Err(DbErr::Custom("there is no way back".to_owned())),
            Some(down) => manager.get_connection().execute_unprepared(down).await.map(drop),
            None => Err(DbErr::Migration("We Don't Do That Here".to_owned())),
        }
    }

    fn use_transaction(&self) -> Option<bool> {
        self.transaction
    }
}

/// Runs `verify` over the migrator of these migrations, the last of which has these claims.
macro_rules! verify {
    ($($migration:expr),+ ; $claims:expr) => {{
        struct Migrator;

        impl sea_orm_migration::MigratorTrait for Migrator {
            fn migrations() -> Vec<Box<dyn sea_orm_migration::MigrationTrait>> {
                vec![$(Box::new($migration)),+]
            }
        }

        $crate::migration_verify::verify_with::<Migrator>($claims).await
    }};
    ($($migration:expr),+ $(,)?) => { $crate::migration_verify::verify!($($migration),+ ; migration_runner::Claims::new()) };
}
use verify;

const fn sql(name: &'static str, up: &'static str, down: &'static str) -> Sql {
    Sql { name, up, down: Some(down), transaction: None }
}

/// What the faulty migrations find.
const fn users() -> Sql {
    sql(
        "m1",
        "create table users (
            id bigint generated always as identity primary key,
            name text not null default 'nobody',
            email text not null,
            age integer
        );
        create index users_email_idx on users (email);
        create function one() returns integer language sql return 1;",
        "drop function one(); drop table users",
    )
}

async fn verify_with<M: MigratorTrait>(claims: Claims) -> Verification {
    let db = TestDb::empty(Database::Ardb).await;
    let migrations = M::migrations();
    let last = migrations.last().expect("there is one").name();
    Runner::new::<M>("test").claim(last, claims).verify(&db).await.unwrap()
}

/// The findings of the last migration, where those before have none.
fn findings(verification: &Verification) -> &[Finding] {
    let (last, before) = verification.migrations.split_last().expect("there is one");
    assert!(before.iter().all(|migration| migration.findings.is_empty()), "{verification:#?}");
    &last.findings
}

/// The lines of the only finding, which is that `down` leaves another catalog.
fn left(verification: &Verification) -> Vec<&str> {
    match findings(verification) {
        [Finding::DownLeaves { difference }] => difference.iter().map(String::as_str).collect(),
        other => panic!("{other:#?}"),
    }
}
